//! redwire with a stack of layers, as `docs/live.md` has it: `c0` to `c9`.

use std::error::Error;
use std::future::pending;

use axum::Router;
use redwire::prelude::*;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Public;

impl HandlerBase for Public {
    fn channel_is_allowed(&self, _channel: &str) -> bool {
        true
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let port: u16 = words.next().ok_or("no port")?.parse()?;
    let redis = words.next().ok_or("no port of Redis")?;
    let redis = RedisBackend::connect(&format!("redis://127.0.0.1:{redis}")).await?;
    let layers = (0..10).map(|number| Layer::new(format!("c{number}")));
    let live = layers.fold(Live::over(Geo::default()), Live::layer);
    let api = WebsocketApi::new(Protocol::new().with(Keys).with(live).with(Ping), redis);
    let app = Router::new().route("/", api.route(Public));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(serve(listener, app, &Limits::default(), pending()).await?)
}
