use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redwire::prelude::*;
use serde_json::json;

/// `ONLY line`: hides trains of other lines.
#[derive(Clone, Default)]
pub(crate) struct Only {
    line: Option<String>,
    pub(crate) judged: Arc<AtomicUsize>,
}

impl<H: HandlerBase> CommandSet<H> for Only {
    fn commands(commands: &mut Commands<Self, H>) {
        commands.command("ONLY line", Self::only);
    }
    fn filter(&self, message: &mut Outgoing<'_>) -> Verdict {
        self.judged.fetch_add(1, Ordering::Relaxed);
        match &self.line {
            Some(line) if message.json().get("line") != Some(&json!(line)) => Verdict::Drop,
            _ => Verdict::Pass,
        }
    }
}

impl Only {
    async fn only<H>(&mut self, _: &mut Context<H>, (line,): (String,)) -> Result<()> {
        self.line = Some(line);
        Ok(())
    }
}
