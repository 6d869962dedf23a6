use std::process::{Child, Command};

use redwire_suites::{Browser, Screen};
use redwire_test::eventually;

use crate::site::Site;
use crate::stage::{Stage, program};

/// What the layers of both kinds of maps are asked.
const VEHICLES: &str = "
    const vehicles = () => Object.values(realtime.engine.trajectories);
    const rendered = () => realtime.engine.renderState.renderedTrajectories ?? [];
    const modes = () => [...new Set(rendered().map((vehicle) => vehicle.properties.type))].sort().join();
    const painted = () => {
        const { canvas } = realtime.engine;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    };
    Object.assign(window, { vehicles, rendered, modes, painted });
";

/// The trains of the example, between all of its cities; trams and buses run in two of them.
const TRAINS: usize = 9 * 8;

#[tokio::test(flavor = "multi_thread")]
async fn an_openlayers_map_draws_its_vehicles_from_redwire() {
    let mut show = Show::open("index.html").await;
    show.draws_all_trains().await;
    show.browser.picture("REDWIRE_MOBILITY_PICTURE").await;

    let browser = &show.browser;
    browser
        .run("map.getView().setCenter(fromLonLat([7.44, 46.945])); map.getView().setZoom(13)")
        .await;
    show.draws_a_city().await;

    // A pan to where there are neither trams nor buses.
    show.browser
        .run("map.getView().setCenter(fromLonLat([9.0, 46.1])); map.getView().setZoom(10)")
        .await;
    show.browser.until("trains elsewhere", "modes() === 'rail' && vehicles().length < 40").await;

    show.browser
        .run("map.getView().setCenter(fromLonLat([7.44, 46.945])); map.getView().setZoom(13)")
        .await;
    show.draws_a_city().await;
    show.filters_by_mode().await;
    show.survives_a_restart().await;
    show.forgets_what_is_deleted().await;
    show.browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maplibre_map_draws_its_vehicles_from_redwire() {
    let mut show = Show::open("maplibre.html").await;
    show.draws_all_trains().await;
    show.browser.picture("REDWIRE_MAPLIBRE_PICTURE").await;
    show.browser.run("map.jumpTo({ center: [7.44, 46.945], zoom: 12 })").await;
    show.draws_a_city().await;
    show.filters_by_mode().await;
    show.survives_a_restart().await;
    show.browser.close().await;
}

/// The example as its README has it: a publisher, redwire, and a page.
struct Show {
    publisher: Publisher,
    browser: Browser,
    stage: Stage,
}

impl Show {
    async fn open(page: &str) -> Self {
        let stage = Stage::set().await;
        let publisher = Publisher::start(&stage);
        eventually("all trains to be stored", async || {
            let stored = stage.redis.command(&["HLEN", "trajectory"]).await.as_integer();
            stored.is_some_and(|stored| stored > TRAINS as i64)
        })
        .await;
        let site = Site::open().await;
        let url = stage.gateway.websocket("/");
        let browser =
            Browser::open(&format!("{}/{page}?url={url}", site.url()), Screen::WebGl).await;
        browser.until("the map", "window.realtime && window.map").await;
        browser.run(VEHICLES).await;
        Self { publisher, browser, stage }
    }

    async fn draws_all_trains(&self) {
        let all = format!("rendered().length >= {TRAINS} && modes() === 'rail'");
        self.browser.until("all trains", &all).await;
        // A circle has 12 pixels or more, and some overlap.
        self.browser.until("paint", &format!("painted() > {TRAINS} * 8")).await;
        let place = "rendered().find((vehicle) => vehicle.properties.train_id === window.id)";
        self.browser.run("window.id = rendered()[0].properties.train_id").await;
        self.browser.run(&format!("window.from = {place}.properties.coordinate.join()")).await;
        let moved = format!("{place}?.properties.coordinate.join() !== window.from");
        self.browser.until("a train to move", &moved).await;
    }

    async fn draws_a_city(&self) {
        self.browser.until("trams and buses", "/bus.*tram/.test(modes())").await;
        self.browser.until("far vehicles to be gone", "vehicles().length < 40").await;
    }

    /// As the layer's option `getMotsByZoom` does. The layer drops what it has and wants no more when
    /// it is asked for its box the next time.
    async fn filters_by_mode(&self) {
        let only = |modes: &str| {
            let twice = "realtime.engine.setBbox(); realtime.engine.setBbox()";
            format!("realtime.engine.getMotsByZoom = () => {modes}; {twice}")
        };
        self.browser.run(&only("['tram']")).await;
        self.browser.until("trams only", "modes() === 'tram'").await;
        self.browser.run(&only("['bus', 'tram']")).await;
        self.browser.until("buses again", "modes() === 'bus,tram'").await;
    }

    /// What was drawn stays meanwhile; all that is drawn afterwards came over the new connection.
    async fn survives_a_restart(&mut self) {
        self.stage.gateway.kill();
        let lost = "realtime.engine.api.wsApi.websocket.readyState !== WebSocket.OPEN";
        self.browser.until("the page to lose its connection", lost).await;
        assert!(self.browser.run("return vehicles().length").await.as_u64() > Some(0));
        self.browser.run("realtime.engine.trajectories = {}").await;
        self.stage.gateway.restart().await;
        let back = "vehicles().length > 10 && modes() === 'bus,tram'";
        self.browser.until("the vehicles to be back", back).await;
    }

    async fn forgets_what_is_deleted(&mut self) {
        self.publisher.stop();
        let gone = self.browser.run("return vehicles()[0].properties.train_id").await;
        let id = gone.as_str().expect("an id");
        self.stage.redis.command(&["HDEL", "trajectory", id]).await;
        self.stage.redis.publish("deleted_vehicles", gone.to_string()).await;
        let is_gone = format!("vehicles().length && !({gone} in realtime.engine.trajectories)");
        self.browser.until("a deleted vehicle to be gone", &is_gone).await;
    }
}

/// The example's program, until the end of the test.
struct Publisher(Child);

impl Publisher {
    fn start(stage: &Stage) -> Self {
        let mut command = Command::new(program("example-mobility"));
        Self(command.env("REDIS_DSN", stage.redis.url()).spawn().expect("the publisher"))
    }

    fn stop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop();
    }
}
