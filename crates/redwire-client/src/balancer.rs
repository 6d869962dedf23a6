use crate::{Error, Redis};

/// Chooses the least loaded servers, one from each row, by sorted sets: one set for each row (a rack, a
/// site, a kind of server), whose members are servers and whose scores are their loads.
///
/// The sets can be read and written by anybody else, with `ZADD` and `ZINCRBY`. Choosing and reserving is
/// one step in Redis, however many balancers there are. All rows have to be on the same Redis.
///
/// ```no_run
/// use redwire_client::{Balancer, Redis};
///
/// # async fn choose() -> Result<(), redwire_client::Error> {
/// let redis = Redis::connect("redis://127.0.0.1").await?;
/// let balancer = Balancer::new(redis, ["odd", "even"]);
/// if let Some(servers) = balancer.reserve(1.0).await? {
///     // Write to all of `servers`, then give them back.
///     balancer.release(&servers, 1.0).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Balancer {
    redis: Redis,
    rows: Vec<Box<str>>,
}

/// One server of each row, in the rows' order.
pub type Servers = Vec<String>;

/// See the script's own first lines.
const CHOOSE: &str = include_str!("balancer.lua");

impl Balancer {
    /// A balancer over these rows, each the key of a sorted set.
    pub fn new<S: Into<Box<str>>>(redis: Redis, rows: impl IntoIterator<Item = S>) -> Self {
        Self { redis, rows: rows.into_iter().map(Into::into).collect() }
    }

    /// The servers of each row that have exactly this load.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn candidates(&self, load: f64) -> Result<Vec<Servers>, Error> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut command = redis::cmd("ZRANGEBYSCORE");
            command.arg(&**row).arg(load).arg(load);
            rows.push(self.redis.query(&command).await?);
        }
        Ok(rows)
    }

    /// The least loaded server of each row: those of the least load that all rows have a server of, or of
    /// the least in each row if they have none in common. `None` if a row is empty. Among equals, any.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn pick(&self) -> Result<Option<Servers>, Error> {
        self.choose(0.0, None).await
    }

    /// The same, and adds `load` to each of them in the same step.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`]; after [`Error::Lost`] and [`Error::Timeout`] it may have been added.
    pub async fn reserve(&self, load: f64) -> Result<Option<Servers>, Error> {
        self.choose(load, None).await
    }

    /// The same among these servers only, such as the first few of a
    /// [ring's preference](crate::ring::WeightedRing::preference). `None` if a row has none of them.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub async fn reserve_among<'s>(
        &self,
        load: f64,
        servers: impl IntoIterator<Item = &'s str>,
    ) -> Result<Option<Servers>, Error> {
        self.choose(load, Some(servers.into_iter().collect())).await
    }

    /// Takes the load of a reservation off again.
    ///
    /// # Errors
    ///
    /// As [`Redis::command`].
    pub async fn release(&self, servers: &[String], load: f64) -> Result<(), Error> {
        for (row, server) in self.rows.iter().zip(servers) {
            let mut command = redis::cmd("ZINCRBY");
            command.arg(&**row).arg(-load).arg(server);
            self.redis.command(&command).await?;
        }
        Ok(())
    }

    async fn choose(&self, load: f64, among: Option<Vec<&str>>) -> Result<Option<Servers>, Error> {
        if among.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let mut command = redis::cmd("EVAL");
        command.arg(CHOOSE).arg(self.rows.len());
        command.arg(self.rows.iter().map(|row| &**row).collect::<Vec<_>>());
        command.arg(load).arg(fastrand::u32(..));
        let among = among.unwrap_or_default();
        for _ in &self.rows {
            command.arg(among.len()).arg(&among);
        }
        self.redis.query(&command).await
    }
}
