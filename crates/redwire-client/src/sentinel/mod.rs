//! A master that sentinels know by name, and its replicas.

mod answer;
mod role;
mod route;
mod watch;
mod watched;

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use redis::{Cmd, RedisError, RedisResult, Value};
use tokio::sync::watch as channel;
use tokio::time::{Instant, timeout_at};

pub(crate) use watched::Watched;

use crate::link::{Link, Server, Setup};
use crate::lock::lock;
use crate::{Config, Endpoint, Error};
use answer::Entry;

/// The sentinels of one master, and what they said last.
///
/// There is one link to each, which serves all questions and brings the news of a failover.
#[derive(Debug)]
struct Sentinels {
    servers: Vec<Server>,
    master: String,
    config: Arc<Config>,
    /// Made for the first question.
    links: OnceLock<Vec<Link>>,
    /// Where the master is, as far as is known.
    place: channel::Sender<Option<Endpoint>>,
    /// The master before the last failover: sentinels that have not heard of it yet still name it.
    left: Mutex<Option<Endpoint>>,
}

impl Sentinels {
    fn new(servers: Vec<Server>, master: &str, config: &Arc<Config>) -> Arc<Self> {
        Arc::new(Self {
            servers,
            master: master.to_owned(),
            config: config.clone(),
            links: OnceLock::new(),
            place: channel::Sender::new(None),
            left: Mutex::default(),
        })
    }

    /// Asks all sentinels at once; the first acceptable answer counts.
    ///
    /// One that names the master before the last failover counts only if there is no other.
    async fn master(self: &Arc<Self>) -> RedisResult<Server> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("MASTERS");
        let mut answers = self.ask(&question);
        let (mut left, mut failure) = (None, None);
        while let Some(answer) = answers.next().await {
            match answer.map(|entries| self.acceptable(&entries)) {
                Ok(Some(place)) if self.has_left(&place) => left = Some(place),
                Ok(Some(place)) => return self.server(place),
                Ok(None) => {}
                Err(error) => failure = Some(error),
            }
        }
        match left {
            Some(place) => {
                *lock(&self.left) = None;
                self.server(place)
            }
            None => Err(self.not_found(failure)),
        }
    }

    /// The replicas that the first sentinel names which knows of any; they may be none.
    async fn replicas(self: &Arc<Self>) -> RedisResult<Vec<Server>> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("REPLICAS").arg(&self.master);
        let mut answers = self.ask(&question);
        while let Some(answer) = answers.next().await {
            let entries = answer.unwrap_or_default();
            let up = entries.iter().filter(|entry| entry.is_up());
            let mut places: Vec<Endpoint> = up.filter_map(Entry::endpoint).collect();
            if !places.is_empty() {
                // So that a place in turn means the same to every sentinel.
                places.sort();
                return places.into_iter().map(|place| self.server(place)).collect();
            }
        }
        Ok(Vec::new())
    }

    /// A connection was made there, and it is the master. False if the master has left that place.
    fn settle(&self, place: &Endpoint) -> bool {
        if self.has_left(place) {
            return false;
        }
        self.place.send_if_modified(|known| known.replace(place.clone()).as_ref() != Some(place));
        true
    }

    /// A sentinel announced a failover.
    fn switched(&self, old: Endpoint, new: &Endpoint) {
        tracing::info!(master = self.master, %old, %new, "sentinels name another redis master");
        *lock(&self.left) = Some(old);
        self.settle(new);
    }

    /// Asks again, because an announcement may have been missed.
    fn doubt(self: &Arc<Self>) {
        let sentinels = Arc::downgrade(self);
        tokio::spawn(async move {
            let Some(sentinels) = sentinels.upgrade() else { return };
            if let Ok((place, _)) = sentinels.master().await {
                sentinels.settle(&place);
            }
        });
    }

    fn has_left(&self, place: &Endpoint) -> bool {
        lock(&self.left).as_ref() == Some(place)
    }

    fn close(&self) {
        self.links.get().into_iter().flatten().for_each(Link::close);
    }

    /// What each sentinel answers, as it comes, within the time for connecting.
    fn ask<'a>(
        self: &'a Arc<Self>,
        question: &'a Cmd,
    ) -> FuturesUnordered<impl Future<Output = Result<Vec<Entry>, Error>> + Send + 'a> {
        let deadline = Instant::now() + self.config.link.connect_timeout;
        let ask = move |link: &'a Link| async move {
            let late = |_| Error::Timeout {
                endpoint: link.endpoint(),
                command: "SENTINEL".to_owned(),
                after: self.config.link.connect_timeout,
            };
            let reply = link.reply("SENTINEL", question, false);
            match timeout_at(deadline, reply).await.map_err(late)?? {
                Value::ServerError(error) => {
                    let command = "SENTINEL".to_owned();
                    Err(Error::from_reply(link.endpoint(), command, &error.into()))
                }
                entries => Ok(Entry::list(entries)),
            }
        };
        self.links().iter().map(ask).collect()
    }

    fn links(self: &Arc<Self>) -> &[Link] {
        self.links.get_or_init(|| self.servers.iter().map(|server| self.link(server)).collect())
    }

    fn link(self: &Arc<Self>, server: &Server) -> Link {
        let setup = Setup { client_name: self.config.client_name.clone(), ..Setup::default() };
        // A client that may not reconnect still asks them for every connection that it makes.
        let config = crate::LinkConfig { reconnect: true, ..self.config.link.clone() };
        let route = crate::link::Fixed(vec![server.clone()]);
        let (link, _) = Link::start(Arc::new(route), setup, config);
        watch::spawn(self, &link);
        link
    }

    fn acceptable(&self, entries: &[Entry]) -> Option<Endpoint> {
        let named = entries.iter().find(|entry| entry.is_master(&self.master))?;
        let has_company = named.other_sentinels() >= self.config.min_other_sentinels;
        if named.is_up() && has_company { named.endpoint() } else { None }
    }

    fn server(&self, place: Endpoint) -> RedisResult<Server> {
        let client = self.config.client(&place).map_err(RedisError::from)?;
        Ok((place, client))
    }

    /// A sentinel that does not let us in is named as the reason, rather than one that is away.
    fn not_found(&self, failure: Option<Error>) -> RedisError {
        if let Some(Error::Refused { source, .. }) = failure {
            return source;
        }
        let because = failure.map(|error| format!(": {error}")).unwrap_or_default();
        let text = format!("No master found for {}{because}", self.master);
        io::Error::new(io::ErrorKind::NotFound, text).into()
    }

    fn label(&self) -> String {
        let sentinels: Vec<String> =
            self.servers.iter().map(|server| server.0.to_string()).collect();
        format!("{} (sentinels {})", self.master, sentinels.join(","))
    }
}
