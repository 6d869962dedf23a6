use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use redwire_test::eventually;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, MutexGuard};

/// One browser at a time: here the processor draws the pixels, and there are few of it.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A browser window of the test's own; both processes end with it.
pub(crate) struct Browser {
    window: Client,
    driver: Child,
    _profile: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    pub(crate) async fn open(url: &str) -> Self {
        Self::start(url, Map::new()).await
    }

    /// A narrow screen with small pixels, and fingers.
    pub(crate) async fn open_on_a_phone(url: &str) -> Self {
        let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true});
        let emulation = json!({ "deviceMetrics": metrics });
        Self::start(url, Map::from_iter([("mobileEmulation".to_owned(), emulation)])).await
    }

    async fn start(url: &str, more: Map<String, Value>) -> Self {
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
        let mut options = json!({"args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
        ]});
        options.as_object_mut().expect("an object").extend(more);
        let options = json!({"goog:chromeOptions": options});
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
        let window = window.expect("a window");
        let browser = Self { window, driver, _profile: profile, _alone: alone };
        browser.window.goto(url).await.expect("the page");
        browser.until_shows("status", "live").await;
        browser
    }

    pub(crate) async fn close(self) {
        self.window.clone().close().await.expect("the window to close");
    }

    /// Waits until the element with this `data-testid` shows `text`.
    pub(crate) async fn until_shows(&self, id: &str, text: &str) {
        eventually(&format!("{id} to show {text}"), async || {
            self.text(id).await.is_ok_and(|shown| shown.contains(text))
        })
        .await;
    }

    /// Waits until the number at the beginning of an element's text is as wanted, and returns it.
    pub(crate) async fn until_number(&self, id: &str, is_right: impl Fn(u64) -> bool) -> u64 {
        let mut found = None;
        eventually(&format!("{id} to show another number"), async || {
            found = self.number(id).await.filter(|&number| is_right(number));
            found.is_some()
        })
        .await;
        found.expect("just found")
    }

    pub(crate) async fn number(&self, id: &str) -> Option<u64> {
        let text = self.text(id).await.ok()?;
        text.split(' ').next()?.replace(',', "").parse().ok()
    }

    pub(crate) async fn text(&self, id: &str) -> Result<String, CmdError> {
        self.window.find(by_id(id).locator()).await?.text().await
    }

    pub(crate) async fn click(&self, id: &str) {
        let element = self.window.find(by_id(id).locator()).await.expect("the element");
        element.click().await.expect("clicked");
    }

    pub(crate) async fn choose(&self, id: &str, value: &str) {
        let element = self.window.find(by_id(id).locator()).await.expect("the element");
        element.select_by_value(value).await.expect("chosen");
    }

    pub(crate) async fn press(&self, id: &str, key: Key) {
        let element = self.window.find(by_id(id).locator()).await.expect("the element");
        element.send_keys(&String::from(char::from(key))).await.expect("pressed");
    }

    pub(crate) async fn type_command(&self, line: &str) {
        let input = self.window.find(by_id("command").locator()).await.expect("the input");
        input.send_keys(line).await.expect("typed");
        input.send_keys(&String::from(char::from(Key::Enter))).await.expect("sent");
    }

    /// What a script in the page returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.window.execute(script, Vec::new()).await.expect("the script's value")
    }

    /// What a script in the page hands to its last argument.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.window.execute_async(script, Vec::new()).await.expect("the script's value")
    }

    /// Writes a picture of the window to where the environment variable says, if it is set.
    pub(crate) async fn picture(&self, variable: &str) {
        if let Ok(path) = std::env::var(variable) {
            let png = self.window.screenshot().await.expect("a screenshot");
            std::fs::write(path, png).expect("the picture to be written");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

struct Selector(String);

fn by_id(id: &str) -> Selector {
    Selector(format!("[data-testid={id}]"))
}

impl Selector {
    fn locator(&self) -> Locator<'_> {
        Locator::Css(&self.0)
    }
}
