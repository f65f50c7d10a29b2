//! What was found in the attachments: forms to go on with, and for the rest a word on why it is no return. Pure.
//!
//! Which files are opened is decided here, by kind; opening them takes a process of its own and is done elsewhere.

use crate::form::reading::Reading;
use crate::form::{Campaign, Finding, Place, Severity};
use crate::message::{Kind, archive};
use crate::workbook::Refusal;

/// What is to be done with a file to find out what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is read as a workbook.
    Read,
    /// The files in it are looked at in its place.
    Unpack,
    /// Its kind says enough.
    Leave,
}

impl Way {
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Xlsx
            | Kind::Xlsb
            | Kind::Xls
            | Kind::Ods
            | Kind::SpreadsheetMl
            | Kind::Html
            | Kind::Mht
            | Kind::Csv
            | Kind::Encrypted => Self::Read,
            Kind::Archive => Self::Unpack,
            Kind::OtherSpreadsheet
            | Kind::Word
            | Kind::Pdf
            | Kind::Picture
            | Kind::Mail
            | Kind::EncryptedMail
            | Kind::Other => Self::Leave,
        }
    }
}

/// A file of a mail, opened as far as it could be.
#[derive(Clone, Debug)]
pub struct File {
    /// As the sender knows it, with the archive it lay in.
    pub name: String,
    /// SHA-256, in hexadecimal.
    pub digest: String,
    pub found: Found,
}

#[derive(Clone, Debug)]
pub enum Found {
    /// A workbook, and the forms in it.
    Reading(Reading),
    /// A workbook that cannot be read.
    Refused(Refusal),
    /// An archive that cannot be opened.
    Unopened(archive::Refusal),
    /// Nothing that is opened. Of a document: the form whose title it holds.
    Left { kind: Kind, holds: Option<String> },
}

/// All that the attachments gave.
#[derive(Default)]
pub struct Opened {
    /// One a workbook that could be read, each with the digest of its file.
    pub readings: Vec<(String, Reading)>,
    /// Files that could not be read at all.
    pub findings: Vec<Finding>,
    /// Workbooks that were read and hold no form: the file's name, and the hidden sheets that hold one.
    formless: Vec<(String, Vec<String>)>,
    /// Documents and pictures.
    documents: Vec<Document>,
    /// Files of no known kind.
    unknown: Vec<String>,
}

struct Document {
    name: String,
    kind: Kind,
    /// It looks meant as a return.
    meant: bool,
    /// The form whose title it holds.
    holds: Option<String>,
}

impl Opened {
    pub fn of(files: Vec<File>, campaign: &Campaign) -> Self {
        let mut opened = Self::default();
        for File { name, digest, found } in files {
            match found {
                Found::Reading(reading) => {
                    if reading.returns.is_empty() {
                        opened.formless.push((name, reading.hidden.clone()));
                    }
                    opened.readings.push((digest, reading));
                }
                Found::Refused(refusal) => opened.findings.push(refused(&name, &refusal)),
                Found::Unopened(refusal) => opened.findings.push(not_opened(&name, &refusal)),
                Found::Left { kind, holds } => opened.left(name, (kind, holds), campaign),
            }
        }
        opened
    }

    pub fn has_forms(&self) -> bool {
        self.readings.iter().any(|(_, r)| !r.returns.is_empty())
    }

    fn left(&mut self, name: String, (kind, holds): (Kind, Option<String>), campaign: &Campaign) {
        match kind {
            Kind::OtherSpreadsheet => {
                let text =
                    format!("“{name}”是系统暂时不能读取的表格格式；请用 Excel 或 WPS 打开，另存为 .xlsx 后重新发送。");
                self.findings.push(about(&name, "W08", text));
            }
            Kind::EncryptedMail => {
                let text =
                    format!("邮件里的“{name}”加了密（邮件加密），系统打不开；请不要加密，把报表作为普通附件重新发送。");
                self.findings.push(about(&name, "W01", text));
            }
            Kind::Word | Kind::Pdf | Kind::Picture | Kind::Mail => {
                let meant = holds.is_some() || meant_as_return(&name, campaign);
                self.documents.push(Document { name, kind, meant, holds });
            }
            // Nothing that a program would open, under the name of a workbook.
            _ if named_as_workbook(&name) => {
                self.findings.push(refused(&name, &Refusal::Damaged("no workbook at all".into())));
            }
            _ => self.unknown.push(name),
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
        // Ours to mend, but only the sender can do something about it now.
        Refusal::BrokeDown => {
            let text = format!(
                "系统读“{file}”时出了错（程序故障，已记录）；请用 Excel 或 WPS 打开，确认内容完整，另存为 .xlsx 后重新发送。"
            );
            about(file, "W02", text)
        }
        Refusal::TooLarge(_) => {
            let text = format!("“{file}”超过系统的读取上限；请删去多余的工作表、空行和图片，另存为 .xlsx 后重新发送。");
            about(file, "W07", text)
        }
        // There is nothing to delete in such a file, so it is said what can be done.
        Refusal::TooManyRows(found, most) => {
            let text = format!(
                "“{file}”里有{found}行（连合计行），超过系统一次能读的{most}行，没有读取；请核对是不是附错了文件，确有这么多的请与区里联系。"
            );
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
        let formless = self.formless.iter().map(|(name, hidden)| {
            let text = if hidden.is_empty() {
                format!("“{name}”里没有找到统计表或台账；请确认附上的是填好的附件1、附件2，表头不要删改，再重新发送。")
            } else {
                let sheets = hidden.join("”“");
                format!("“{name}”里的报表在隐藏的工作表“{sheets}”里，没有读取；请取消隐藏、保存后重新发送。")
            };
            about(name, "W03", text)
        });
        let documents = self.documents.iter().map(|Document { name, kind, meant, holds }| {
            let text = match holds {
                _ if *kind == Kind::Mail => format!(
                    "“{name}”是一封另存的邮件，系统没有从中取到报表；请把里面的报表取出来，作为附件重新发送。"
                ),
                Some(title) => format!(
                    "“{name}”里有《{title}》，但它是文字文档，系统不能读取；请把表格填在 Excel 文件里，作为附件重新发送。"
                ),
                None => format!("“{name}”不是 Excel 表格；请把报表填在 Excel 文件里，作为附件重新发送。"),
            };
            let severity = if *meant { Severity::Error } else { Severity::Info };
            Finding { severity, ..about(name, "W08", text) }
        });
        formless.chain(documents).chain(self.unknown.iter().map(|name| not_understood(name))).collect()
    }

    /// What lay beside the forms and was not read, though it may have been meant as one.
    pub fn left_aside(&self) -> Vec<Finding> {
        let documents = self.documents.iter().filter(|d| d.meant).map(|d| &d.name);
        documents.chain(&self.unknown).map(|name| not_understood(name)).collect()
    }
}
