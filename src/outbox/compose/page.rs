//! A mail's content as blocks, shown twice: as plain text and as HTML. Pure.
//!
//! The words are chosen once, by the callers; here is only layout. The HTML is one table with inline styles, because
//! QQ and 163 webmail drop `<style>` and Outlook knows neither flex nor margins on divs.

use maud::{Markup, PreEscaped, html};

/// How a block is coloured. The words never depend on colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Attention,
    Bad,
    Plain,
}

#[derive(Clone, Debug)]
pub struct Page {
    pub tone: Tone,
    /// The outcome in a few words: what an inbox shows as the preview.
    pub title: String,
    /// `云岭街道：`; empty for none.
    pub greeting: String,
    pub lead: Vec<String>,
    pub sections: Vec<Section>,
    pub footer: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Section {
    pub tone: Tone,
    pub title: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub enum Block {
    Line(String),
    /// One thing to look at: what, where, and what to do.
    Item {
        head: String,
        points: Vec<String>,
        advice: Option<String>,
    },
    /// Values then and now: `(label, then, now)`.
    Compare {
        then: String,
        now: String,
        rows: Vec<(String, String, String)>,
    },
    /// A small table; the first column names the row.
    Grid {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
}

impl Section {
    /// `None` when there is nothing to show.
    pub fn of(tone: Tone, title: impl Into<String>, blocks: Vec<Block>) -> Option<Self> {
        (!blocks.is_empty()).then(|| Self { tone, title: title.into(), blocks })
    }
}

impl Page {
    pub fn text(&self) -> String {
        let mut lines = vec![format!("【{}】", self.title)];
        if !self.greeting.is_empty() {
            lines.push(self.greeting.clone());
        }
        lines.extend(self.lead.iter().cloned());
        for section in &self.sections {
            lines.push(String::new());
            lines.push(format!("◆ {}", section.title));
            let mut number = 0;
            for block in &section.blocks {
                block_text(block, &mut number, &mut lines);
            }
        }
        lines.push(String::new());
        lines.push("————————".to_owned());
        lines.extend(self.footer.iter().cloned());
        lines.join("\n") + "\n"
    }

    pub fn html(&self) -> String {
        let (ink, ground) = colours(self.tone);
        let body = html! {
            (PreEscaped("<!DOCTYPE html>"))
            html lang="zh-CN" {
                head {
                    meta http-equiv="Content-Type" content="text/html; charset=utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                }
                body style="margin:0;padding:0;background:#ffffff;" {
                    table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" {
                        tr { td align="left" style="padding:12px;" {
                            table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style=(FRAME) {
                                tr { td bgcolor=(ground) style=(banner(ink, ground)) { (self.title) } }
                                tr { td style="padding:12px 16px 0 16px;" { (self.opening()) } }
                                @for section in &self.sections { (section_html(section)) }
                                tr { td style=(FOOTER) { @for line in &self.footer { (line) br; } } }
                            }
                        } }
                    }
                }
            }
        };
        body.into_string()
    }

    fn opening(&self) -> Markup {
        html! {
            @if !self.greeting.is_empty() { div style="padding-bottom:4px;" { (self.greeting) } }
            @for line in &self.lead { div style="padding-bottom:4px;" { (line) } }
        }
    }
}

/// Figures on one line of plain text.
const PACKED: usize = 3;

fn block_text(block: &Block, number: &mut usize, lines: &mut Vec<String>) {
    match block {
        Block::Line(line) => lines.push(format!("· {line}")),
        Block::Item { head, points, advice } => {
            *number += 1;
            lines.push(format!("{number}. {head}"));
            lines.extend(points.iter().map(|p| format!("   · {p}")));
            lines.extend(advice.iter().map(|a| format!("   → {a}")));
        }
        Block::Compare { then, now, rows } => {
            lines.push(format!("  {then} → {now}："));
            for packed in rows.chunks(PACKED) {
                let cells: Vec<String> = packed.iter().map(|(label, a, b)| format!("{label} {a} → {b}")).collect();
                lines.push(format!("  {}", cells.join("；")));
            }
        }
        Block::Grid { head, rows } => {
            for row in rows {
                let cells: Vec<String> = head.iter().zip(row).skip(1).map(|(h, v)| format!("{h} {v}")).collect();
                lines.push(format!("· {}：{}", row.first().map_or("", String::as_str), cells.join("，")));
            }
        }
    }
}

const FRAME: &str = "max-width:680px;border:1px solid #d9d9d9;font-family:'Microsoft YaHei','PingFang SC','Noto Sans CJK SC',\
sans-serif;font-size:15px;line-height:1.5;color:#262626;";
const FOOTER: &str = "padding:12px 16px;font-size:13px;color:#666666;border-top:1px solid #e8e8e8;";
const CELL: &str = "padding:3px 8px;border:1px solid #d9d9d9;font-size:14px;";
const HEAD: &str =
    "padding:3px 8px;border:1px solid #d9d9d9;font-size:14px;background:#f5f5f5;font-weight:normal;text-align:left;";
const NUMBER: &str = "padding:3px 8px;border:1px solid #d9d9d9;font-size:14px;text-align:right;white-space:nowrap;";
const POINT: &str = "padding-left:1.2em;font-size:14px;color:#595959;word-break:break-all;";
const ADVICE: &str = "padding-left:1.2em;font-size:14px;";

/// Text and background, readable on each other (contrast above 7:1).
fn colours(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Good => ("#135200", "#e8f6e0"),
        Tone::Attention => ("#613400", "#fff3d6"),
        Tone::Bad => ("#820014", "#ffe7e6"),
        Tone::Plain => ("#1f1f1f", "#f0f2f5"),
    }
}

fn banner(ink: &str, ground: &str) -> String {
    format!("padding:10px 16px;background:{ground};color:{ink};font-size:17px;font-weight:bold;")
}

fn section_html(section: &Section) -> Markup {
    let (ink, _) = colours(section.tone);
    html! {
        tr { td style="padding:8px 16px 2px 16px;" {
            div style={ "font-weight:bold;padding-bottom:2px;color:" (ink) ";" } { (section.title) }
            @for (number, block) in numbered(&section.blocks) { (block_html(block, number)) }
        } }
    }
}

/// Items counted from 1, other blocks not.
fn numbered(blocks: &[Block]) -> impl Iterator<Item = (usize, &Block)> {
    blocks.iter().scan(0, |n, block| {
        *n += usize::from(matches!(block, Block::Item { .. }));
        Some((*n, block))
    })
}

fn block_html(block: &Block, number: usize) -> Markup {
    html! {
        @match block {
            Block::Line(line) => div style="padding-bottom:2px;" { "· " (line) },
            Block::Item { head, points, advice } => div style="padding-bottom:6px;" {
                div { (number) ". " (head) }
                @for point in points { div style=(POINT) { (point) } }
                @if let Some(advice) = advice { div style=(ADVICE) { "→ " (advice) } }
            },
            Block::Compare { then, now, rows } => table cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;margin:4px 0 8px 0;" {
                tr { th style=(HEAD) { "项目" } th style=(HEAD) { (then) } th style=(HEAD) { (now) } }
                @for (label, a, b) in rows {
                    tr { td style=(CELL) { (label) } td align="right" style=(NUMBER) { (a) } td align="right" style=(NUMBER) { b { (b) } } }
                }
            },
            Block::Grid { head, rows } => table cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;margin:4px 0 8px 0;" {
                tr { @for title in head { th style=(HEAD) { (title) } } }
                @for row in rows {
                    tr { @for (i, cell) in row.iter().enumerate() {
                        @if i == 0 { td style=(CELL) { (cell) } } @else { td align="right" style=(NUMBER) { (cell) } }
                    } }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(blocks: Vec<Block>) -> Page {
        Page {
            tone: Tone::Plain,
            title: "标题".into(),
            greeting: String::new(),
            lead: vec!["正文。".into()],
            sections: Section::of(Tone::Plain, "一节", blocks).into_iter().collect(),
            footer: vec!["落款".into()],
        }
    }

    #[test]
    fn what_a_sender_wrote_cannot_become_markup() {
        let html = page(vec![Block::Line("<script>alert(1)</script> & \"".into())]).html();
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp;"));
        assert!(!html.contains("<script"));
    }

    #[test]
    fn both_forms_say_the_same_words() {
        let page = page(vec![
            Block::Item { head: "头".into(), points: vec!["点".into()], advice: Some("做法".into()) },
            Block::Compare {
                then: "上月".into(),
                now: "本月".into(),
                rows: vec![("项".into(), "1".into(), "2".into())],
            },
            Block::Grid { head: vec!["名".into(), "数".into()], rows: vec![vec!["甲".into(), "7".into()]] },
        ]);
        for words in ["头", "点", "做法", "上月", "本月", "项", "甲", "落款"] {
            assert!(page.text().contains(words) && page.html().contains(words), "{words}");
        }
        assert!(page.text().contains("· 甲：数 7"));
    }

    #[test]
    fn an_empty_section_is_left_out() {
        assert_eq!(page(vec![]).text(), "【标题】\n正文。\n\n————————\n落款\n");
    }
}
