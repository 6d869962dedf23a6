use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

/// Browsers read Redis over WebSocket.
#[derive(Debug, Parser)]
#[command(name = "redwire", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the keys and channels of a Redis.
    Serve(Given),
    /// Serve invented vehicles from memory, with a map to look at them. Needs no Redis.
    #[command(mut_arg("redis", |arg| arg.hide(true)), mut_arg("geo", |arg| arg.hide(true)))]
    #[command(mut_arg("live", |arg| arg.hide(true)), mut_arg("stored_crs", |arg| arg.hide(true)))]
    #[command(mut_arg("cache", |arg| arg.hide(true)))]
    Demo(Demo),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) given: Given,
    /// Vehicles on the map, each of which is published every two seconds
    #[arg(long, value_name = "N", default_value_t = 10_000, env = "REDWIRE_VEHICLES",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) vehicles: u32,
}

/// What was given on the command line, in the environment, or in a file; a flag wins over the
/// environment, which wins over the file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Given {
    /// Where Redis is: redis[s]://[user:password@]host[:port][/database], or redis+unix:///path
    /// [default: redis:///]
    #[arg(long, value_name = "URL", env = "REDIS_DSN", hide_env_values = true)]
    redis: Option<String>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, env = "HOST")]
    host: Option<String>,
    /// Port to listen on [default: 8765]
    #[arg(long, env = "PORT")]
    port: Option<u16>,
    /// Channels and keys that visitors may see, as a Redis pattern; repeatable [default: [a-z]*]
    #[arg(long, value_name = "GLOB", env = "REDWIRE_CHANNELS", value_delimiter = ',')]
    channels: Option<Vec<String>>,
    /// Channels and keys that visitors may not see whatever --channels says; repeatable
    #[arg(long, value_name = "GLOB", env = "REDWIRE_DENY", value_delimiter = ',')]
    deny: Option<Vec<String>>,
    /// Web pages that may connect, such as https://map.example; repeatable [default: any, but with
    /// cookies only from the own host]
    #[arg(long, value_name = "ORIGIN", env = "REDWIRE_ORIGIN", value_delimiter = ',')]
    origin: Option<Vec<String>>,
    /// Close every connection at this age [default: never]
    #[arg(long, value_name = "SECONDS", env = "REDWIRE_MAX_AGE")]
    max_age: Option<u64>,
    /// Let clients send BBOX, PROJECTION and PGET for GeoJSON (the demo always does)
    #[arg(long, env = "REDWIRE_GEO")]
    geo: bool,
    /// --geo, with positions in the order of axes that each CRS defines: latitude before longitude in
    /// EPSG:4326
    #[arg(long, env = "REDWIRE_STRICT_AXIS_ORDER")]
    strict_axis_order: bool,
    /// Speak the live-map dialect of the npm package mobility-toolbox-js on `trajectory` and
    /// `deleted_vehicles`: --geo, with snapshots of what is in view
    #[arg(long, env = "REDWIRE_LIVE")]
    live: bool,
    /// --geo, with positions published in this CRS [default: 4326, with --live 3857]
    #[arg(long, value_name = "CODE", env = "REDWIRE_STORED_CRS")]
    stored_crs: Option<StoredCrs>,
    /// Compress what is sent to clients that can read it (all browsers can): less traffic for more work
    #[arg(long, env = "REDWIRE_COMPRESSION")]
    compression: bool,
    /// Keep what clients read, in at most this many MiB, and read it from Redis again only when Redis says
    /// that it has changed [default: 0, nothing]
    #[arg(long, value_name = "MIB", env = "REDWIRE_CACHE")]
    cache: Option<u32>,
    /// Connections at a time [default: 50000]
    #[arg(long, value_name = "N", env = "REDWIRE_MAX_CONNECTIONS")]
    max_connections: Option<usize>,
    /// Commands a second from one connection [default: 1000]
    #[arg(long, value_name = "N", env = "REDWIRE_MAX_COMMANDS")]
    max_commands: Option<u32>,
    /// Time from SIGTERM to the end of the process, at most [default: 10]
    #[arg(long, value_name = "SECONDS", env = "REDWIRE_SHUTDOWN")]
    shutdown: Option<u64>,
    /// Behave as redis-websocket-api 0.4.4: malformed commands close with 1011, unknown and denied
    /// ones are ignored
    #[arg(long, env = "REDWIRE_COMPAT")]
    compat: bool,
    /// How to write the log; what to write is set by RUST_LOG [default: text]
    #[arg(long, value_name = "FORMAT", env = "REDWIRE_LOG")]
    log: Option<Log>,
    /// A TOML file with the same options: channels = ["public.*"]
    #[arg(long, value_name = "FILE", env = "REDWIRE_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Log {
    #[default]
    Text,
    Json,
}

/// The CRSs in which positions can be published.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(try_from = "u32")]
pub(crate) enum StoredCrs {
    #[value(name = "4326")]
    LongitudeLatitude,
    #[value(name = "3857")]
    WebMercator,
}

impl StoredCrs {
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::LongitudeLatitude => 4326,
            Self::WebMercator => 3857,
        }
    }
}

impl TryFrom<u32> for StoredCrs {
    type Error = String;

    fn try_from(code: u32) -> Result<Self, String> {
        let known = Self::value_variants().iter().find(|crs| crs.code() == code);
        known.copied().ok_or_else(|| format!("stored-crs is 4326 or 3857, not {code}"))
    }
}

/// What the program does, every default filled in.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) redis: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) channels: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) origin: Option<Vec<String>>,
    pub(crate) max_age: Option<Duration>,
    /// In bytes.
    pub(crate) cache: usize,
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_commands: Option<u32>,
    pub(crate) shutdown: Duration,
    pub(crate) compat: bool,
    pub(crate) compression: bool,
    pub(crate) geo: bool,
    pub(crate) live: bool,
    pub(crate) strict_axis_order: bool,
    pub(crate) stored_crs: Option<StoredCrs>,
    pub(crate) log: Log,
}

impl Given {
    /// Reads the file, if one was named, and fills in the defaults.
    pub(crate) fn complete(self) -> Result<Options, String> {
        let file = self.config.as_deref().map_or_else(|| Ok(Self::default()), read)?;
        let patterns = |given: Option<Vec<String>>, default: &[&str]| {
            let given = given.unwrap_or_else(|| default.iter().map(|&p| p.into()).collect());
            given.into_iter().filter(|pattern| !pattern.is_empty()).collect::<Vec<_>>()
        };
        let origin = self.origin.or(file.origin).map(|origins| {
            origins.into_iter().filter(|origin| !origin.is_empty()).collect::<Vec<_>>()
        });
        let options = Options {
            redis: self.redis.or(file.redis).unwrap_or_else(|| "redis:///".into()),
            host: self.host.or(file.host).unwrap_or_else(|| "127.0.0.1".into()),
            port: self.port.or(file.port).unwrap_or(8765),
            channels: patterns(self.channels.or(file.channels), &["[a-z]*"]),
            deny: patterns(self.deny.or(file.deny), &[]),
            origin: origin.filter(|origins| !origins.is_empty()),
            max_age: self.max_age.or(file.max_age).map(Duration::from_secs),
            cache: self.cache.or(file.cache).map_or(0, bytes),
            max_connections: self.max_connections.or(file.max_connections),
            max_commands: self.max_commands.or(file.max_commands),
            shutdown: Duration::from_secs(self.shutdown.or(file.shutdown).unwrap_or(10)),
            compat: self.compat || file.compat,
            compression: self.compression || file.compression,
            geo: self.geo || file.geo,
            live: self.live || file.live,
            strict_axis_order: self.strict_axis_order || file.strict_axis_order,
            stored_crs: self.stored_crs.or(file.stored_crs),
            log: self.log.or(file.log).unwrap_or_default(),
        };
        if options.channels.is_empty() {
            return Err("nothing to subscribe to: --channels names no pattern".into());
        }
        let is_origin =
            |origin: &&String| ["*", "null"].contains(&origin.as_str()) || origin.contains("://");
        if let Some(origin) = options.origin.iter().flatten().find(|origin| !is_origin(origin)) {
            return Err(format!("--origin cannot be `{origin}`: expected https://{origin} or `*`"));
        }
        if options.max_connections == Some(0) || options.max_commands == Some(0) {
            return Err("--max-connections and --max-commands cannot be `0`".into());
        }
        if options.max_age == Some(Duration::ZERO) {
            return Err("--max-age cannot be `0`: leave it out for no maximum".into());
        }
        Ok(options)
    }
}

fn bytes(mib: u32) -> usize {
    usize::try_from(mib).map_or(usize::MAX, |mib| mib.saturating_mul(1 << 20))
}

fn read(path: &Path) -> Result<Given, String> {
    let in_file = |error: &dyn std::fmt::Display| format!("--config {}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| in_file(&error))?;
    toml::from_str(&text).map_err(|error| in_file(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(given: Given) -> Options {
        given.complete().unwrap()
    }

    #[test]
    fn the_defaults_are_the_originals() {
        let options = options(Given::default());
        assert_eq!(options.redis, "redis:///");
        assert_eq!((options.host.as_str(), options.port), ("127.0.0.1", 8765));
        assert_eq!(options.channels, ["[a-z]*"]);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "port = 1\nchannels = [\"public.*\"]\nmax-age = 60\n").unwrap();
        let config = Some(file.path().to_owned());
        let options = options(Given { port: Some(2), config, ..Given::default() });
        assert_eq!((options.port, options.channels), (2, vec!["public.*".to_owned()]));
        assert_eq!(options.max_age, Some(Duration::from_secs(60)));
    }

    #[test]
    fn the_stored_crs_is_one_of_two() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            Given { config: Some(file.path().to_owned()), ..Given::default() }.complete()
        };
        assert_eq!(with("stored-crs = 3857").unwrap().stored_crs, Some(StoredCrs::WebMercator));
        let error = with("stored-crs = 2056").unwrap_err();
        assert!(error.contains("4326 or 3857, not 2056"), "{error}");
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "chanels = []\n").unwrap();
        let config = Some(file.path().to_owned());
        let error = Given { config, ..Given::default() }.complete().unwrap_err();
        assert!(error.contains("chanels"), "{error}");
    }

    #[test]
    fn limits_that_serve_nobody_and_origins_that_match_nothing_are_errors() {
        let origin = |origin: &str| Given { origin: Some(vec![origin.into()]), ..Given::default() };
        assert!(origin("map.example").complete().unwrap_err().contains("https://map.example"));
        assert_eq!(options(origin("")).origin, None);
        for given in [
            Given { max_connections: Some(0), ..Given::default() },
            Given { max_commands: Some(0), ..Given::default() },
        ] {
            assert!(given.complete().unwrap_err().contains("cannot be `0`"));
        }
    }

    #[test]
    fn no_pattern_at_all_is_an_error() {
        let given = Given { channels: Some(vec![String::new()]), ..Given::default() };
        assert!(given.complete().unwrap_err().contains("nothing to subscribe"));
    }
}
