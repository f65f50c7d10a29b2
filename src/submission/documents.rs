//! Opening what is attached: workbooks read, archives unpacked, and for the rest a word on why it is no return. Pure.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::form::extract;
use crate::form::reading::Reading;
use crate::form::{Campaign, Finding, Place, Severity};
use crate::message::archive;
use crate::message::{Attachment, Kind};
use crate::workbook::{self, Refusal};

/// All that the attachments gave.
#[derive(Default)]
pub struct Opened {
    /// One a workbook that could be read.
    pub readings: Vec<Reading>,
    /// Files that could not be read at all.
    pub findings: Vec<Finding>,
    /// A reader broke down on one of them: our failure, so that a person looks at the mail.
    pub broke_down: bool,
    /// Workbooks that were read and hold no form.
    formless: Vec<String>,
    /// Documents and pictures: the file's name, and whether it looks meant as a return.
    documents: Vec<(String, bool)>,
    /// Files of no known kind.
    unknown: Vec<String>,
}

pub fn open(attachments: &[Attachment], config: &Config, received: NaiveDate) -> Opened {
    let mut opener = Opener { config, received, seen: BTreeSet::new(), opened: Opened::default() };
    for attachment in attachments {
        opener.open(attachment);
    }
    opener.opened
}

struct Opener<'a> {
    config: &'a Config,
    received: NaiveDate,
    /// Digests: the same file attached twice is one file.
    seen: BTreeSet<Vec<u8>>,
    opened: Opened,
}

impl Opener<'_> {
    fn open(&mut self, attachment: &Attachment) {
        if !self.seen.insert(Sha256::digest(&attachment.bytes).to_vec()) {
            return;
        }
        let name = &attachment.name;
        match attachment.kind {
            Kind::Xlsx
            | Kind::Xlsb
            | Kind::Xls
            | Kind::Ods
            | Kind::SpreadsheetMl
            | Kind::Html
            | Kind::Mht
            | Kind::Csv
            | Kind::Encrypted => self.workbook(attachment),
            Kind::Archive => self.archive(attachment),
            Kind::OtherSpreadsheet => {
                let text =
                    format!("“{name}”是系统暂时不能读取的表格格式；请用 Excel 或 WPS 打开，另存为 .xlsx 后重新发送。");
                self.opened.findings.push(about(name, "W08", text));
            }
            Kind::Word | Kind::Pdf | Kind::Picture => {
                let meant = meant_as_return(name, &self.config.campaign);
                self.opened.documents.push((name.clone(), meant));
            }
            // Nothing that a program would open, under the name of a workbook.
            Kind::Other if named_as_workbook(name) => {
                self.opened.findings.push(refused(name, &Refusal::Damaged("no workbook at all".into())));
            }
            Kind::Other => self.opened.unknown.push(name.clone()),
        }
    }

    fn archive(&mut self, attachment: &Attachment) {
        let c = &self.config.limits;
        let limits = archive::Limits { bytes: c.archive_bytes, members: c.archive_members, depth: c.archive_depth };
        match archive::unpack(attachment, &limits) {
            Ok(members) => members.iter().for_each(|member| self.open(member)),
            Err(error) => self.opened.findings.push(not_opened(&attachment.name, &error)),
        }
    }

    fn workbook(&mut self, attachment: &Attachment) {
        let c = &self.config.limits;
        let limits = workbook::Limits { bytes: c.workbook_bytes, cells: c.workbook_cells };
        match workbook::read_as(attachment.kind, &attachment.bytes, &limits) {
            Ok(book) => {
                let reading = extract::read(&book, &self.config.campaign, &attachment.name, self.received);
                if reading.returns.is_empty() {
                    self.opened.formless.push(attachment.name.clone());
                }
                self.opened.readings.push(reading);
            }
            Err(refusal) => {
                self.opened.broke_down |= refusal == Refusal::BrokeDown;
                self.opened.findings.push(refused(&attachment.name, &refusal));
            }
        }
    }
}

/// The lock files that Excel leaves beside a workbook (`~$…`) have its name too.
fn named_as_workbook(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let workbook =
        ["xls", "xlsx", "xlsm", "xlsb", "xlt", "et", "ett", "ods", "csv", "mht"].contains(&extension.as_str());
    workbook && !file.starts_with(['~', '.'])
}

/// A name such as 附件2台账.doc says that a table was meant.
fn meant_as_return(name: &str, campaign: &Campaign) -> bool {
    campaign.forms.iter().flat_map(|f| &f.words).any(|word| name.contains(word.as_str()))
}

fn not_understood(file: &str) -> Finding {
    let text = format!("附件“{file}”不是 Excel 表格，系统没有读取；如果是要报的报表，请填在 Excel 文件里重新发送。");
    Finding { severity: Severity::Info, ..about(file, "H03", text) }
}

fn about(file: &str, rule: &str, text: String) -> Finding {
    Finding::new(rule, Severity::Error, Place { file: Some(file.to_owned()), ..Place::default() }, text)
}

fn refused(file: &str, refusal: &Refusal) -> Finding {
    match refusal {
        Refusal::Encrypted => {
            let text = format!(
                "“{file}”设了打开密码，系统读不了；请取消密码（文件→信息→保护工作簿→用密码进行加密→清空）后重新发送。"
            );
            about(file, "W01", text)
        }
        Refusal::Damaged(_) => {
            let text = format!("“{file}”打不开，文件可能在保存或发送时损坏；请在电脑上确认能打开，重新保存后再发送。");
            about(file, "W02", text)
        }
        Refusal::BrokeDown => {
            let text = format!("系统未能读取“{file}”（程序故障，与来信人无关），由区里人工处理，不必重发。");
            Finding { severity: Severity::Info, ..about(file, "H04", text) }
        }
        Refusal::TooLarge(_) => {
            let text = format!("“{file}”超过系统的读取上限；请删去多余的工作表、空行和图片，另存为 .xlsx 后重新发送。");
            about(file, "W07", text)
        }
    }
}

fn not_opened(file: &str, error: &archive::Refusal) -> Finding {
    match error {
        archive::Refusal::Encrypted => {
            about(file, "W01", format!("压缩包“{file}”设了密码，系统打不开；请去掉密码，或直接附上报表文件。"))
        }
        archive::Refusal::TooLarge(_) => {
            about(file, "W07", format!("压缩包“{file}”解开后超过系统的上限；请只放报表文件，或直接附上报表文件。"))
        }
        archive::Refusal::Damaged(_) => {
            about(file, "W02", format!("压缩包“{file}”打不开，可能已损坏；请重新压缩，或直接附上报表文件。"))
        }
        archive::Refusal::Unknown => {
            about(file, "W08", format!("压缩包“{file}”的格式系统打不开；请改用 zip，或直接附上报表文件。"))
        }
    }
}

impl Opened {
    /// Why there is no form among what could be opened; for a mail in which none was found.
    pub fn nothing_found(&self) -> Vec<Finding> {
        let formless = self.formless.iter().map(|name| {
            let text =
                format!("“{name}”里没有找到统计表或台账；请确认附上的是填好的附件1、附件2，表头不要删改，再重新发送。");
            about(name, "W03", text)
        });
        let documents = self.documents.iter().map(|(name, meant)| {
            let text = format!("“{name}”不是 Excel 表格；请把报表填在 Excel 文件里，作为附件重新发送。");
            let severity = if *meant { Severity::Error } else { Severity::Info };
            Finding { severity, ..about(name, "W08", text) }
        });
        formless.chain(documents).chain(self.unknown.iter().map(|name| not_understood(name))).collect()
    }

    /// What lay beside the forms and was not read, though it may have been meant as one.
    pub fn left_aside(&self) -> Vec<Finding> {
        let documents = self.documents.iter().filter(|(_, meant)| *meant).map(|(name, _)| name);
        documents.chain(&self.unknown).map(|name| not_understood(name)).collect()
    }
}
