//! What a thousand viewers have in common is done once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire::prelude::*;
use redwire_suites::{Gateway, Store};
use redwire_test::{Client, eventually};
use serde_json::json;

use crate::crowd::{VIEWERS, all, check_file_limit};
use crate::only::Only;

/// `SPEAK language`: notes the language in every message.
#[derive(Clone, Default)]
struct Speak {
    language: Option<Language>,
    rewritten: Arc<AtomicUsize>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Language(String);

impl<H: HandlerBase> CommandSet<H> for Speak {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("SPEAK language", Self::speak);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        if let Some(language) = &self.language {
            message.rewrite(language.clone(), |content| {
                self.rewritten.fetch_add(1, Ordering::Relaxed);
                let mut json = content.json().clone();
                json.as_object_mut()?.insert("language".into(), json!(language.0));
                Some(Content::from(json))
            });
        }
        Verdict::Pass
    }
}

impl Speak {
    async fn speak<H>(&mut self, _: &mut Context<H>, (language,): (String,)) -> Result<()> {
        self.language = Some(Language(language));
        Ok(())
    }
}

/// What a viewer asks for: every mixture of line and language is as frequent as the others.
fn wishes(viewer: usize) -> (&'static str, Option<&'static str>) {
    let line = if viewer.is_multiple_of(2) { "S1" } else { "S2" };
    let language = match viewer / 2 % 4 {
        0 => Some("de"),
        1 => Some("fr"),
        2 => Some("it"),
        _ => None,
    };
    (line, language)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_parsed_once_rewritten_once_per_key_and_encoded_once_per_version() {
    check_file_limit();
    for store in Store::both().await {
        let (only, speak) = (Only::default(), Speak::default());
        let (judged, rewritten) = (Arc::clone(&only.judged), Arc::clone(&speak.rewritten));
        let protocol = Protocol::new().with(Subscriptions).with(Ping).with(only).with(speak);
        let gateway = Gateway::serving(protocol, &store, Limits::default(), |api| api).await;
        let url = gateway.url();
        let viewers = all(|viewer| {
            let (url, (line, language)) = (url.clone(), wishes(viewer));
            async move {
                let mut client = Client::open(&url).await;
                client.send(format!("ONLY {line}")).await;
                if let Some(language) = language {
                    client.send(format!("SPEAK {language}")).await;
                }
                client.subscribe("trains").await;
                client
            }
        });
        let mut viewers = viewers.await;

        store.publish("trains", r#"{"line":"S1","speed":1.10}"#).await;
        for (viewer, client) in viewers.iter_mut().enumerate() {
            match wishes(viewer) {
                ("S1", Some(language)) => {
                    let train = json!({"line": "S1", "speed": 1.1, "language": language});
                    client.expect("trains", train).await;
                }
                ("S1", None) => {
                    let frame = client.next_text().await;
                    assert!(frame.contains(r#""content":{"line":"S1","speed":1.10},"#), "{frame}");
                }
                _ => {} // Their silence is looked at last, when all others have got it.
            }
        }
        for client in &mut viewers {
            client.expect_silence().await;
        }

        assert_eq!(judged.load(Ordering::Relaxed), VIEWERS);
        assert_eq!(rewritten.load(Ordering::Relaxed), 3);
        eventually("the message's cost to be counted", async || {
            gateway.metric("redwire_messages_parsed_total") > 0
        })
        .await;
        let half = VIEWERS as u64 / 2;
        for (metric, count) in [
            ("redwire_messages_total", 1),
            ("redwire_messages_parsed_total", 1),
            ("redwire_messages_rewritten_total", 3),
            ("redwire_messages_encoded_total", 4),
            // Whoever gets nothing is not even woken: there is nothing in its outbox.
            ("redwire_deliveries_total", half),
            ("redwire_deliveries_filtered_total", half),
        ] {
            assert_eq!(gateway.metric(metric), count, "{metric}");
        }
    }
}
