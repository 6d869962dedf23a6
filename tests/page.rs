//! The demo's page in a real browser: headless Chromium, driven through WebDriver.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use redwire_test::{Program, eventually};
use serde_json::json;

/// The program `redwire`, which the test command builds before this suite.
fn redwire() -> String {
    let own = std::env::current_exe().expect("the test's own path");
    let target = own.ancestors().nth(2).expect("target/PROFILE/deps/page-…");
    let redwire = target.join("redwire");
    assert!(redwire.exists(), "{redwire:?} is missing: cargo build -p redwire-cli");
    redwire.to_string_lossy().into_owned()
}

/// A browser window of the test's own; both processes end with it.
struct Browser {
    window: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    async fn open(url: &str) -> Self {
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
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=1280,900",
            format!("--user-data-dir={}", profile.path().display()),
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
        let browser = Self { window: window.expect("a window"), driver, _profile: profile };
        browser.window.goto(url).await.expect("the page");
        browser
    }

    /// Waits until the element with this `data-testid` shows `text`.
    async fn until_shows(&self, id: &str, text: &str) {
        eventually(&format!("{id} to show {text}"), async || {
            self.text(id).await.is_ok_and(|shown| shown.contains(text))
        })
        .await;
    }

    async fn text(&self, id: &str) -> Result<String, CmdError> {
        self.window.find(Locator::Css(&format!("[data-testid={id}]"))).await?.text().await
    }

    async fn type_command(&self, line: &str) {
        let input =
            self.window.find(Locator::Css("[data-testid=command]")).await.expect("the input");
        input.send_keys(line).await.expect("typed");
        input.send_keys(&String::from(char::from(Key::Enter))).await.expect("sent");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_messages_sends_commands_and_survives_a_restart() {
    let mut demo = Program::start_with(&redwire(), &["demo"], None).await;
    let browser = Browser::open(&format!("http://127.0.0.1:{}/", demo.port())).await;

    browser.until_shows("status", "live").await;
    browser.until_shows("board", "IC 5").await;

    let total = browser.text("total").await.expect("a counter");
    eventually("more messages to be counted", async || {
        browser.text("total").await.is_ok_and(|now| now != total)
    })
    .await;

    browser.type_command("PING").await;
    browser.until_shows("log", "\"PONG\"").await;
    browser.type_command("GET nothing here").await;
    browser.until_shows("log", "nothing here").await;
    browser.type_command("GET").await;
    browser.until_shows("log", "argument `channel_name` is missing").await;

    if let Ok(path) = std::env::var("REDWIRE_PICTURE") {
        picture(&browser, &path).await;
    }

    demo.kill();
    eventually("the page to notice", async || {
        browser.text("status").await.is_ok_and(|status| !status.contains("live"))
    })
    .await;
    demo.restart().await;
    browser.until_shows("status", "live").await;
    let total = browser.text("total").await.expect("a counter");
    eventually("messages to flow again", async || {
        browser.text("total").await.is_ok_and(|now| now != total)
    })
    .await;
    browser.window.clone().close().await.expect("the window to close");
}

/// The README's picture, taken when somebody asks for it.
async fn picture(browser: &Browser, path: &str) {
    let png = browser.window.screenshot().await.expect("a screenshot");
    std::fs::write(path, png).expect("the picture to be written");
}
