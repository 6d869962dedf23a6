use crate::Refused;

/// Policy: what one visitor may see. Each connection has a handler of its own.
///
/// There is deliberately no default for [`channel_is_allowed`](Self::channel_is_allowed): a server
/// that forgot to decide must not compile.
///
/// ```
/// use redwire_protocol::HandlerBase;
///
/// struct Tenant { prefix: String }
///
/// impl HandlerBase for Tenant {
///     fn channel_is_allowed(&self, channel: &str) -> bool {
///         channel.starts_with(&self.prefix)
///     }
/// }
/// ```
pub trait HandlerBase: Send + Sync + 'static {
    /// Whether this visitor may subscribe to `channel`. Asked for every `SUB`, so that a handler
    /// may change its mind during a connection; not asked for `DEL`.
    fn channel_is_allowed(&self, channel: &str) -> bool;

    /// Whether this visitor may read `key`. By default a key is as visible as the channel of the
    /// same name, because publishers use one name for both.
    fn key_is_allowed(&self, key: &str) -> bool {
        self.channel_is_allowed(key)
    }

    /// Called once, before the first command.
    fn on_open(&mut self) {}

    /// Called for every line that was refused, before the client is told.
    fn on_error(&mut self, refused: &Refused) {
        let _ = refused;
    }

    /// Called once, when the connection has ended for whatever reason.
    fn on_close(&mut self) {}
}
