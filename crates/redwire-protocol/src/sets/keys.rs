use crate::{CommandSet, Commands, Content, Context, HandlerBase, Reply, Result};

/// `GET channel_name [ref] [client_ref]`: reads a hash.
///
/// Without `ref`, one frame for each value of the hash that passes the filters, or one `null`; the
/// source is the key. With `ref`, the value of that field or `null`, whatever the filters' verdict
/// (their rewrites apply); the source is `"key field"`. Values that are not JSON count as missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys;

impl<H: HandlerBase> CommandSet<H> for Keys {
    const FILTERS: bool = false;

    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("GET channel_name [ref] [client_ref]", Self::get);
    }
}

impl Keys {
    /// What `GET` answers, for commands that read as it does.
    ///
    /// # Errors
    ///
    /// As [`Context::hget`] and [`Context::hvals`].
    pub async fn read<H: HandlerBase>(
        context: &Context<H>,
        key: &str,
        field: Option<&str>,
        client_ref: Option<String>,
    ) -> Result<Reply> {
        let Some(field) = field else {
            let values = context.hvals(key).await?;
            let contents = values.into_iter().filter_map(|value| Content::parse(value).ok());
            return Ok(Reply::values(key, contents, client_ref));
        };
        let value = context.hget(key, field).await?;
        let content = value.and_then(|value| Content::parse(value).ok());
        let source = format!("{key} {field}");
        Ok(Reply::value(source, content.unwrap_or_else(Content::null), client_ref))
    }

    async fn get<H: HandlerBase>(
        &mut self,
        context: &mut Context<H>,
        (key, field, client_ref): (String, Option<String>, Option<String>),
    ) -> Result<Reply> {
        Self::read(context, &key, field.as_deref(), client_ref).await
    }
}
