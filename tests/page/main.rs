//! The demo's page in a real browser: headless Chromium, driven through WebDriver.

use fantoccini::key::Key;
use redwire_suites::{Browser, Screen};
use redwire_test::{Program, eventually};

/// The program `redwire`, which the test command builds before this suite.
fn redwire() -> String {
    let own = std::env::current_exe().expect("the test's own path");
    let target = own.ancestors().nth(2).expect("target/PROFILE/deps/page-…");
    let redwire = target.join("redwire");
    assert!(redwire.exists(), "{redwire:?} is missing: cargo build -p redwire-cli");
    redwire.to_string_lossy().into_owned()
}

/// The demo with so many vehicles, and its address.
async fn demo(vehicles: &str) -> (Program, String) {
    let program = Program::start_with(&redwire(), &["demo", "--vehicles", vehicles], None).await;
    let url = format!("http://127.0.0.1:{}/", program.port());
    (program, url)
}

/// The page, connected.
async fn opened(url: &str, screen: Screen) -> Browser {
    let browser = Browser::open(url, screen).await;
    browser.until_shows("status", "live").await;
    browser
}

/// Types a line into the page's console.
async fn command(browser: &Browser, line: &str) {
    browser.enter("command", line).await;
    browser.press("command", Key::Enter).await;
}

/// How many pixels of the map have the colour of this kind of vehicle.
const COLORED: &str = "
    const canvas = document.getElementById('traffic');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const color = getComputedStyle(document.documentElement).getPropertyValue('--KIND').trim();
    const wanted = [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16));
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        count += data[i] === wanted[0] && data[i + 1] === wanted[1] && data[i + 2] === wanted[2];
    }
    return count;";

async fn colored(browser: &Browser, kind: &str) -> u64 {
    browser.run(&COLORED.replace("KIND", kind)).await.as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_messages_sends_commands_and_survives_a_restart() {
    let (mut demo, url) = demo("2000").await;
    let browser = opened(&url, Screen::Desk).await;

    browser.click("console").await;
    let total = browser.until_number("total", |total| total > 0).await;
    browser.until_number("total", |now| now > total).await;

    command(&browser, "PING").await;
    browser.until_shows("log", "\"PONG\"").await;
    command(&browser, "GET nothing here").await;
    browser.until_shows("log", "nothing here").await;
    command(&browser, "GET").await;
    browser.until_shows("log", "argument `channel_name` is missing").await;

    demo.kill();
    browser.until_hides("status", "live").await;
    browser.until_number("received", |vehicles| vehicles == 0).await;
    demo.restart().await;
    browser.until_shows("status", "live").await;
    browser.until_number("received", |vehicles| vehicles > 50).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vehicles_of_every_kind_are_on_the_map() {
    let count = vehicles_for("REDWIRE_PICTURE");
    let (_demo, url) = demo(&count.to_string()).await;
    let browser = opened(&url, Screen::Desk).await;
    for kind in ["rail", "regional", "subway", "tram", "bus"] {
        eventually(&format!("{kind} on the map"), async || colored(&browser, kind).await > 0).await;
    }
    browser.click("second").await;
    browser.until_number("box-count", |now| now > 5).await;
    browser.until_number("vehicles", |all| all == count).await;
    browser.until_number("received", |now| now > count / 12).await;
    browser.picture("REDWIRE_PICTURE").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_them_too() {
    let count = vehicles_for("REDWIRE_PICTURE_PHONE");
    let (_demo, url) = demo(&count.to_string()).await;
    let browser = opened(&url, Screen::Phone).await;
    eventually("trains on the map", async || colored(&browser, "rail").await > 50).await;
    let overflow = "return document.documentElement.scrollWidth - innerWidth";
    assert_eq!(browser.run(overflow).await, 0, "the page is wider than the screen");
    browser.until_number("vehicles", |all| all == count).await;
    browser.until_number("received", |now| now > count / 12).await;
    browser.picture("REDWIRE_PICTURE_PHONE").await;
    browser.close().await;
}

/// On a picture as many as by default; fewer for a test, whose program is not optimised.
fn vehicles_for(picture: &str) -> u64 {
    if std::env::var(picture).is_ok() { 10_000 } else { 5_000 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_gets_what_is_in_view_and_without_the_filter_everything() {
    let (_demo, url) = demo("3000").await;
    let browser = opened(&url, Screen::Desk).await;
    let all = 3000;
    let wide = browser.until_number("received", |now| now > 100 && now < all).await;

    for _ in 0..3 {
        browser.click("zoom-in").await;
    }
    browser.until_number("received", |now| now < wide / 2).await;

    browser.click("filter").await;
    browser.until_number("received", |now| now == all).await;
    browser.click("filter").await;
    browser.until_number("received", |now| now < wide / 2).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vehicles_come_in_the_projection_that_is_chosen() {
    let (_demo, url) = demo("3000").await;
    let browser = opened(&url, Screen::Desk).await;
    browser.click("console").await;
    for code in ["3035", "2056", "4326", "3857"] {
        browser.choose("projection", code).await;
        browser.until_shows("log", &format!("PROJECTION epsg:{code}")).await;
        // In the units of another projection none of them would be in view.
        browser.until_number("received", |now| now > 100).await;
        eventually(&format!("trains on the map in {code}"), async || {
            colored(&browser, "rail").await > 50
        })
        .await;
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_viewer_on_the_map_has_a_box_and_a_counter_of_its_own() {
    let (_demo, url) = demo("3000").await;
    let browser = opened(&url, Screen::Desk).await;
    browser.click("second").await;
    let there = browser.until_number("box-count", |now| now > 5).await;
    let received = browser.number("received").await.expect("a number");
    assert!(there < received, "{there} of {received}");

    // Far enough into the Alps that there is nearly nothing.
    for _ in 0..12 {
        browser.press("box", Key::Down).await;
    }
    browser.until_number("box-count", |now| now < there / 2).await;
    assert!(browser.number("received").await.expect("a number") > there);

    browser.click("second").await;
    eventually("the box to go", async || {
        browser.run("return document.getElementById('box').hidden").await == true
    })
    .await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_moving_vehicles_leave_time_for_thirty_frames_a_second() {
    let (_demo, url) = demo("2000").await;
    let browser = opened(&url, Screen::Desk).await;
    browser.click("filter").await;
    for _ in 0..4 {
        browser.click("zoom-out").await;
    }
    browser.until_number("received", |now| now == 2000).await;
    let in_view = "return [...document.querySelectorAll('#legend b')]
        .reduce((sum, count) => sum + Number(count.textContent.replace(',', '')), 0)";
    eventually("all of them to be in view", async || {
        browser.run(in_view).await.as_u64().is_some_and(|shown| shown > 1_950)
    })
    .await;

    let frames = browser
        .run_async(
            "const done = arguments[0], from = performance.now();
            let frames = 0;
            requestAnimationFrame(function next(now) {
                frames++;
                if (now - from < 4000) requestAnimationFrame(next);
                else done(frames / ((now - from) / 1000));
            });",
        )
        .await;
    // The cost and not the rate, and of one second of several: other tests may have the processor.
    let cost = "return Number(document.getElementById('frames').dataset.milliseconds)";
    let mut milliseconds = 0.0;
    eventually("a second whose frames take less than a thirtieth", async || {
        milliseconds = browser.run(cost).await.as_f64().expect("milliseconds");
        milliseconds * 30.0 < 1000.0
    })
    .await;
    println!("2,000 vehicles: {frames} frames a second, {milliseconds} ms of drawing in each");
    browser.close().await;
}
