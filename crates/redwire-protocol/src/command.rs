use std::pin::Pin;

use crate::args::{Args, FromArgs};
use crate::{Context, Error, IntoReply, Reply};

/// An `async fn(&mut Set, &mut Context<H>, Arguments) -> Result<Answer>`, such as a set's method.
///
/// There is exactly one implementation, for all functions: with a second one the compiler could
/// no longer say which argument or answer is wrong.
pub trait Command<'a, C, H, A>: Send + Sync + 'static {
    /// What the function's future resolves to.
    type Answer: IntoReply;
    /// The function's future.
    type Future: Future<Output = Result<Self::Answer, Error>> + Send + 'a;

    /// Starts the command.
    fn call(&self, set: &'a mut C, context: &'a mut Context<H>, args: A) -> Self::Future;
}

impl<'a, C, H, A, F, Fut, R> Command<'a, C, H, A> for F
where
    C: 'a,
    H: 'a,
    F: Fn(&'a mut C, &'a mut Context<H>, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'a,
    R: IntoReply,
{
    type Answer = R;
    type Future = Fut;

    fn call(&self, set: &'a mut C, context: &'a mut Context<H>, args: A) -> Fut {
        self(set, context, args)
    }
}

pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send + 'a>>;

/// A command without its argument types.
pub(crate) type Erased<C, H> = Box<
    dyn for<'a> Fn(&'a mut C, &'a mut Context<H>, &Args<'_>) -> Result<Running<'a>, Error>
        + Send
        + Sync,
>;

pub(crate) fn erase<C, H, A, F>(command: F) -> Erased<C, H>
where
    C: 'static,
    H: 'static,
    A: FromArgs,
    F: for<'a> Command<'a, C, H, A>,
{
    Box::new(move |set, context, args| {
        let running = command.call(set, context, A::from_args(args)?);
        Ok(Box::pin(async move { running.await.map(IntoReply::into_reply) }))
    })
}
