//! A page of its own: headed sections of text, tables and plots, for commands that are about no single run.

use super::page::{escape, plotly};
use serde_json::{Value, json};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("sheet.js");

/// A page that needs nothing else.
#[derive(Debug, Default)]
pub struct Sheet {
    body: String,
    plots: Vec<Value>,
}

impl Sheet {
    /// Figures side by side: label, value, note.
    pub fn cards(&mut self, cards: &[(&str, String, String)]) {
        let card = |(label, value, note): &(&str, String, String)| {
            let (label, value, note) = (escape(label), escape(value), escape(note));
            format!("<div class=\"card\"><span>{label}</span><b>{value}</b><em>{note}</em></div>")
        };
        self.body += &format!("<section class=\"cards\">{}</section>", cards.iter().map(card).collect::<String>());
    }

    /// A plot: Plotly's traces and what its layout has beyond the page's. A colour that begins with `--` is one of the
    /// page's, so that it follows light and dark.
    pub fn plot(&mut self, heading: &str, text: &str, traces: &[Value], layout: &Value) {
        let id = format!("plot-{}", self.plots.len());
        self.body += &format!(
            "<section><h2>{}</h2><p>{}</p><div class=\"plot tall\" id=\"{id}\"></div></section>",
            escape(heading),
            escape(text)
        );
        self.plots.push(json!({ "id": id, "traces": traces, "layout": layout }));
    }

    /// A table; numbers stand right.
    pub fn table(&mut self, heading: &str, text: &str, head: &[String], rows: &[Vec<String>]) {
        let cells =
            |tag: &str, row: &[String]| row.iter().map(|c| format!("<{tag}>{}</{tag}>", escape(c))).collect::<String>();
        let line = |row: &Vec<String>| match row.split_first() {
            Some((first, rest)) => format!("<tr><th>{}</th>{}</tr>", escape(first), cells("td", rest)),
            None => String::new(),
        };
        self.body += &format!(
            "<section><h2>{}</h2><p>{}</p><div class=\"scroll\"><table class=\"numbers{}\"><thead><tr>{}</tr></thead>\
             <tbody>{}</tbody></table></div></section>",
            escape(heading),
            escape(text),
            if head.len() > 6 { " dense" } else { "" },
            cells("th", head),
            rows.iter().map(line).collect::<String>()
        );
    }

    /// A list of sentences that a reader must not miss.
    pub fn notes(&mut self, heading: &str, notes: &[String]) {
        let items: String = notes.iter().map(|n| format!("<li>{}</li>", escape(n))).collect();
        self.body += &format!("<section class=\"assumptions\"><h2>{}</h2><ul>{items}</ul></section>", escape(heading));
    }

    /// The page.
    pub fn html(&self, eyebrow: &str, title: &str, lead: &str) -> String {
        // A `<` inside a script could end it; as an escape it cannot.
        let data = Value::Array(self.plots.clone()).to_string().replace('<', "\\u003c");
        let plotly = if self.plots.is_empty() { String::new() } else { plotly() };
        let (eyebrow, title, lead) = (escape(eyebrow), escape(title), escape(lead));
        [
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            &format!(
                "<title>{title} · tradegraph</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n"
            ),
            &format!(
                "</head>\n<body>\n<header>\n<div>\n<p class=\"eyebrow\">tradegraph · {eyebrow}</p>\n<h1>{title}</h1>\n"
            ),
            &format!("<p class=\"lead\">{lead}</p>\n</div>\n"),
            "<button id=\"theme\" type=\"button\" aria-label=\"Switch between light and dark\">◐</button>\n</header>\n",
            &format!("<main>\n{}\n</main>\n", self.body),
            "<footer>No advice, no promise of profit.</footer>\n",
            &format!("<script>{plotly}</script>\n<script id=\"data\" type=\"application/json\">{data}</script>\n"),
            &format!("<script>{SCRIPT}</script>\n</body>\n</html>\n"),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_and_plots_have_their_place() {
        let mut sheet = Sheet::default();
        sheet.table("a < b", "", &["x".to_owned()], &[vec!["<b>".to_owned(), "1".to_owned()]]);
        let none = sheet.html("x", "t", "l");
        assert!(
            !none.contains("plotly.js v") && none.contains("<h2>a &lt; b</h2>") && none.contains("<th>&lt;b&gt;</th>")
        );
        sheet.plot("p", "", &[json!({ "name": "</script>" })], &json!({}));
        let page = sheet.html("x", "t", "l");
        assert!(page.contains("id=\"plot-0\"") && page.contains("\\u003c/script>") && page.contains("plotly.js v"));
    }
}
