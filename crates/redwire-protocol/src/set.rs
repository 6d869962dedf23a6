use std::any::type_name;
use std::fmt;

use crate::args::{FromArgs, Shape};
use crate::command::{Command, Erased, erase};
use crate::usage::Usage;
use crate::{Figure, Observed, Outgoing, Screen, Verdict};

/// Mechanism: commands, their state, and a filter on what goes out.
///
/// A set is a plain value. Every connection gets its own clone; its `async fn`s are commands, its
/// fields are that connection's state. After each command a clone of the state is published, and
/// [`filter`](Self::filter) judges messages by it while later commands may already run.
///
/// ```
/// use redwire_protocol::{CommandSet, Commands, Context, HandlerBase, Outgoing, Result, Verdict};
///
/// /// Hides trains that are slower than a given speed.
/// #[derive(Clone, Default)]
/// struct Faster { than: f64 }
///
/// impl<H: HandlerBase> CommandSet<H> for Faster {
///     fn commands(commands: &mut Commands<Self, H>) {
///         commands.command("FASTER than", Self::faster);
///     }
///     fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
///         match message.json().get("speed").and_then(|speed| speed.as_f64()) {
///             Some(speed) if speed <= self.than => Verdict::Drop,
///             _ => Verdict::Pass,
///         }
///     }
/// }
///
/// impl Faster {
///     async fn faster<H>(&mut self, _: &mut Context<H>, (than,): (f64,)) -> Result<()> {
///         self.than = than;
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command set for the handler `{H}`",
    label = "not a command set",
    note = "implement `CommandSet<H>` for it: `impl<H: HandlerBase> CommandSet<H> for {Self}`"
)]
pub trait CommandSet<H>: Clone + Send + Sync + 'static {
    /// Whether [`filter`](Self::filter) does anything. `false` spares the call, and lets the
    /// [`screen`](Self::screen) of a set that is stacked after this one count.
    const FILTERS: bool = true;

    /// Declares the commands.
    fn commands(commands: &mut Commands<Self, H>);

    /// Judges one message for this connection, and may rewrite it. Filters run in the order in
    /// which sets are stacked, until one drops the message. A filter must not panic and cannot
    /// wait.
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        let _ = message;
        Verdict::Pass
    }

    /// A coarse first judgement that a server can make for many connections at once: a promise that
    /// [`filter`](Self::filter) drops every message whose extent does not touch the screen. It counts
    /// for the first set of a stack that [filters](Self::FILTERS).
    fn screen(&self) -> Option<Screen> {
        None
    }

    /// Sees everything that is published on the channels in use, once for all connections and before
    /// their filters do. Called on the set that was stacked, whose clones the connections have: state
    /// that they are to share is behind an `Arc`. Must be quick, and must not panic.
    fn observe(&self, observed: Observed<'_>) {
        let _ = observed;
    }

    /// What the set has counted, for the server's metrics. Called on the set that was stacked.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

/// The commands that a set declares.
pub struct Commands<C, H> {
    pub(crate) entries: Vec<(Usage, Erased<C, H>)>,
}

impl<C: 'static, H: 'static> Commands<C, H> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Declares a command by its usage line: `NAME place [optional] [many...]`. Places are bound
    /// to words in order or as `name=value`; a place named `client_ref` is echoed in error frames.
    ///
    /// # Panics
    ///
    /// If the usage line is not of that form, or does not fit the function's argument types. Any
    /// test that builds the protocol shows it.
    // The compiler shows the bound on `F` with its comment to whoever forgets a parameter.
    #[track_caller]
    pub fn command<A, F>(&mut self, usage: &'static str, command: F) -> &mut Self
    where
        A: FromArgs,
        F: for<'a> Command<'a, C, H, A>, // async fn(&mut Set, &mut Context<H>, (A,)) -> Result<()>
    {
        let usage = match Usage::parse(usage) {
            Ok(usage) => usage,
            // Not in a closure, which would hide the caller's place.
            Err(message) => panic!("{message}"),
        };
        let shapes: Vec<Shape> = usage.parameters.iter().map(|p| p.shape).collect();
        assert!(
            A::fits(&shapes),
            "usage line `{}` does not fit the arguments `{}`",
            usage.line,
            type_name::<A>(),
        );
        self.entries.push((usage, erase(command)));
        self
    }
}

impl<C, H> fmt::Debug for Commands<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|(usage, _)| usage.line)).finish()
    }
}
