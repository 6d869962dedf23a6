use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{sleep, timeout};

/// One browser at a time: here the processor draws the pixels, and there are few of it.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Longer than redwire takes for anything: it is the browser that is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser window of the test's own: headless Chromium, driven through WebDriver. Its processes end
/// with it. Elements are named by their `data-testid`.
#[derive(Debug)]
pub struct Browser {
    window: Client,
    driver: Child,
    _profile: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// What kind of window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A wide one.
    Desk,
    /// A narrow one with small pixels, and fingers.
    Phone,
    /// A wide one with WebGL in software.
    WebGl,
}

impl Browser {
    /// A window on the page at this address.
    pub async fn open(url: &str, screen: Screen) -> Self {
        let alone = ALONE.lock().await;
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a bound listener").port();
        drop(free);
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            // The browser is in its group, too.
            .process_group(0)
            .spawn()
            .expect("chromedriver on the PATH (Debian: apt-get install chromium-driver)");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let options = options(screen, &profile.path().display().to_string());
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
        browser
    }

    /// Closes the window.
    pub async fn close(self) {
        self.window.clone().close().await.expect("the window to close");
    }

    /// Runs a script in the page, and returns what it returns.
    pub async fn run(&self, script: &str) -> Value {
        let result = self.window.execute(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs a script in the page, and returns what it hands to its last argument.
    pub async fn run_async(&self, script: &str) -> Value {
        let result = self.window.execute_async(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an expression is true in the page.
    pub async fn until(&self, awaited: &str, expression: &str) {
        let script = format!("return Boolean({expression})");
        eventually(awaited, async || self.run(&script).await == json!(true)).await;
    }

    /// Waits until the element shows this text, among others.
    pub async fn until_shows(&self, id: &str, text: &str) {
        eventually(&format!("{id} to show {text}"), async || {
            self.text(id).await.is_ok_and(|shown| shown.contains(text))
        })
        .await;
    }

    /// Waits until the element shows this text no longer.
    pub async fn until_hides(&self, id: &str, text: &str) {
        eventually(&format!("{id} not to show {text}"), async || {
            self.text(id).await.is_ok_and(|shown| !shown.contains(text))
        })
        .await;
    }

    /// Waits until the number at the beginning of an element's text is as wanted, and returns it.
    pub async fn until_number(&self, id: &str, is_right: impl Fn(u64) -> bool) -> u64 {
        let mut found = None;
        eventually(&format!("{id} to show another number"), async || {
            found = self.number(id).await.filter(|&number| is_right(number));
            found.is_some()
        })
        .await;
        found.expect("just found")
    }

    /// The number at the beginning of an element's text.
    pub async fn number(&self, id: &str) -> Option<u64> {
        let text = self.text(id).await.ok()?;
        text.split(' ').next()?.replace(',', "").parse().ok()
    }

    /// The element's text.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn text(&self, id: &str) -> Result<String, CmdError> {
        self.window.find(Locator::Css(&by_id(id))).await?.text().await
    }

    /// Clicks on the element.
    pub async fn click(&self, id: &str) {
        let element = self.window.find(Locator::Css(&by_id(id))).await.expect("the element");
        element.click().await.expect("clicked");
    }

    /// Chooses an option by its value.
    pub async fn choose(&self, id: &str, value: &str) {
        let element = self.window.find(Locator::Css(&by_id(id))).await.expect("the element");
        element.select_by_value(value).await.expect("chosen");
    }

    /// Presses a key.
    pub async fn press(&self, id: &str, key: Key) {
        self.enter(id, &String::from(char::from(key))).await;
    }

    /// Types a text.
    pub async fn enter(&self, id: &str, text: &str) {
        let element = self.window.find(Locator::Css(&by_id(id))).await.expect("the element");
        element.send_keys(text).await.expect("typed");
    }

    /// Writes a picture of the window to where the environment variable says, if it is set; a PNG.
    pub async fn picture(&self, variable: &str) {
        if let Ok(path) = std::env::var(variable) {
            let png = self.window.screenshot().await.expect("a screenshot");
            std::fs::write(path, png).expect("the picture to be written");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.driver), Signal::KILL);
        let _ = self.driver.wait();
    }
}

fn options(screen: Screen, profile: &str) -> Value {
    let profile = format!("--user-data-dir={profile}");
    let mut arguments = vec![
        "--headless",
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--window-size=1280,900",
        &profile,
    ];
    arguments.extend(match screen {
        Screen::Desk | Screen::Phone => ["--disable-gpu"].iter(),
        Screen::WebGl => [
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--disable-accelerated-2d-canvas",
        ]
        .iter(),
    });
    let metrics = json!({"width": 390, "height": 844, "pixelRatio": 2.0, "touch": true});
    let options = match screen {
        Screen::Phone => json!({"args": arguments, "mobileEmulation": {"deviceMetrics": metrics}}),
        Screen::Desk | Screen::WebGl => json!({"args": arguments}),
    };
    json!({"goog:chromeOptions": options})
}

fn by_id(id: &str) -> String {
    format!("[data-testid={id}]")
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
