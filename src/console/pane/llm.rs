//! What an LLM says beside the rules; without one, how to have one.

use ratatui::text::Line;

use crate::console::model::Model;
use crate::console::options::Llm;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{hanging, ink};
use crate::domain::incident::Incident;

use super::Text;

const INDENT: usize = 10;

pub fn text(model: &Model, width: usize, theme: &Theme) -> Text<'static> {
    if let Some(lines) = model.incident().and_then(|incident| opinion(incident, width, theme)) {
        let name = model.incident().and_then(|incident| incident.opinion.as_ref()).map(|opinion| opinion.model.clone()).unwrap_or_default();
        return Text::new(lines, name);
    }
    match &model.options.llm {
        Llm::NotConfigured => Text::new(how_to(width, theme), "not configured"),
        Llm::Configured(name) => {
            let words = match model.incident() {
                Some(_) => "No opinion on this one. The rules decided alone; a model that is slow or down holds nothing up.",
                None => "What the model says about the incident under the cursor.",
            };
            Text::new(hanging("", 0, words, width, theme.of(Meaning::Base), theme.of(Meaning::Muted)), name.clone())
        }
    }
}

fn opinion(incident: &Incident, width: usize, theme: &Theme) -> Option<Vec<Line<'static>>> {
    let opinion = incident.opinion.as_ref()?;
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let agrees = incident.classification.as_ref().is_some_and(|rules| rules.cause == opinion.cause);
    let (word, style) = if agrees { ("agrees", theme.of(Meaning::Ok)) } else { ("differs", theme.of(Meaning::Waiting)) };
    let mut lines =
        vec![Line::from(vec![ink(format!("{} {}, ", opinion.cause, opinion.confidence), theme.strong(Meaning::Base)), ink(word, style)])];
    lines.extend(hanging("", 0, &opinion.summary, width, base, base));
    lines.extend(hanging("would", INDENT, opinion.action.words(), width, muted, base));
    let quotes =
        if opinion.grounded { "each line occurs in the evidence" } else { "some lines are not in the evidence: not to be trusted" };
    lines.extend(hanging("quotes", INDENT, quotes, width, muted, if opinion.grounded { base } else { theme.of(Meaning::Danger) }));
    Some(lines)
}

fn how_to(width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted, accent) = (theme.of(Meaning::Base), theme.of(Meaning::Muted), theme.of(Meaning::Accent));
    let intro = "No LLM is configured; the rules decide alone. Its place is here, beside them. To give it one, in the config file or the environment:";
    let mut lines = hanging("", 0, intro, width, base, base);
    for setting in ["llm.provider = \"azure\"", "AZURE_OPENAI_ENDPOINT=https://…", "AZURE_OPENAI_DEPLOYMENT=…", "AZURE_OPENAI_API_KEY=…"]
    {
        lines.extend(hanging("", 2, setting, width, base, accent));
    }
    lines.extend(hanging(
        "",
        0,
        "Also \"openai\", \"databricks\" and \"ollama\". Its opinion never raises what runmend may do by itself.",
        width,
        base,
        muted,
    ));
    lines
}
