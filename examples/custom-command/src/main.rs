//! A command of one's own, and a stack without `SUB`.
//!
//! Run it: `cargo run -p example-custom-command`, connect to ws://127.0.0.1:8765/ws, and send
//! `ECHO hi there` or `COUNT`.

use redwire::prelude::*;

/// `ECHO words...` answers the words; `COUNT` answers how often this connection has asked.
#[derive(Clone, Default)]
struct Echo {
    echoed: u64,
}

impl<H: HandlerBase> CommandSet<H> for Echo {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("ECHO words...", Self::echo).command("COUNT", Self::count);
    }
}

impl Echo {
    async fn echo<H>(&mut self, _: &mut Context<H>, (words,): (Vec<String>,)) -> Result<Reply> {
        self.echoed += 1;
        Ok(Reply::status(words.join(" ")))
    }

    async fn count<H>(&mut self, _: &mut Context<H>, _: ()) -> Result<Reply> {
        Ok(Reply::status(self.echoed))
    }
}

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        true
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = RedisBackend::connect(&env("REDIS_DSN", "redis:///")).await?;
    let protocol = Protocol::new().with(Keys).with(Ping).with(Echo::default());
    let api = WebsocketApi::new(protocol, redis);
    let app = axum::Router::new().route("/ws", api.route(Public));
    let address = (env("HOST", "127.0.0.1"), env("PORT", "8765").parse()?);
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

/// A setting from the environment.
fn env(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.into())
}
