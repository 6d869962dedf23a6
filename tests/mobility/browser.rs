use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

/// A browser window of the test's own, with WebGL in software; both processes end with it.
pub(crate) struct Browser {
    window: Client,
    driver: Child,
    _profile: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// Drawing in software takes all the cores that there are.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Longer than redwire takes for anything: it is the browser that is slow.
const PATIENCE: Duration = Duration::from_secs(60);

impl Browser {
    pub(crate) async fn open(url: &str) -> Self {
        let alone = ALONE.lock().await;
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a bound listener").port();
        drop(free);
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("chromedriver on the PATH (Debian: apt-get install chromium-driver)");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let options = json!({"goog:chromeOptions": {"args": [
            "--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
            "--disable-accelerated-2d-canvas", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
            "--window-size=1200,800", format!("--user-data-dir={}", profile.path().display()),
        ]}});
        let capabilities = options.as_object().expect("an object").clone();
        let webdriver = format!("http://127.0.0.1:{port}");
        let mut window = None;
        eventually("chromedriver to answer", async || {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities.clone());
            window = builder.connect(&webdriver).await.ok();
            window.is_some()
        })
        .await;
        let browser =
            Self { window: window.expect("a window"), driver, _profile: profile, _alone: alone };
        browser.window.goto(url).await.expect("the page");
        browser
    }

    /// Runs a script in the page, and returns what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let result = self.window.execute(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn until(&self, awaited: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        eventually(awaited, async || self.run(&script).await == json!(true)).await;
    }

    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.window.screenshot().await.expect("a screenshot")
    }

    pub(crate) async fn close(self) {
        self.window.clone().close().await.expect("the window to close");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

async fn eventually(awaited: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = timeout(PATIENCE, holds).await;
    assert!(waited.is_ok(), "waited {PATIENCE:?} for {awaited}, in vain");
}
