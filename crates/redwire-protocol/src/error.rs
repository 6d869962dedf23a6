use std::fmt;

use crate::{BackendError, Content, Envelope};

/// Why a command could not be carried out. Texts go to clients: they name the argument and the
/// value, and never anything internal.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The line held no word.
    EmptyLine,
    /// No stacked set has this command.
    UnknownCommand {
        /// The first word of the line.
        name: Box<str>,
    },
    /// A required argument is missing.
    MissingArgument {
        /// The argument's name in the usage line.
        name: &'static str,
        /// The command's usage line.
        usage: &'static str,
    },
    /// More words than the usage line has places for.
    ExtraArgument {
        /// The first word without a place.
        value: Box<str>,
        /// The command's usage line.
        usage: &'static str,
    },
    /// A `name=value` whose name is not in the usage line.
    UnknownArgument {
        /// The name before the first `=`.
        name: Box<str>,
        /// The value after it.
        value: Box<str>,
        /// The command's usage line.
        usage: &'static str,
    },
    /// An argument that was given twice.
    RepeatedArgument {
        /// The argument's name in the usage line.
        name: &'static str,
        /// The second value.
        value: Box<str>,
    },
    /// An argument whose value cannot be used.
    BadArgument {
        /// The argument's name in the usage line.
        name: &'static str,
        /// The value as it was given.
        value: Box<str>,
        /// What is wrong with it.
        reason: Box<str>,
    },
    /// The handler does not let this visitor see the channel or key.
    Denied {
        /// The channel or key.
        name: Box<str>,
    },
    /// A bound of [`Limits`](crate::Limits) was reached.
    LimitReached {
        /// What is bounded, with its unit: `subscriptions`.
        limit: &'static str,
        /// The bound.
        max: usize,
        /// The value that went beyond it, shortened.
        value: Box<str>,
    },
    /// The backend could not answer.
    Backend(BackendError),
    /// Refused by a command set, in its own words.
    Refused(Box<str>),
}

/// How many characters of a client's text an error repeats.
const QUOTED: usize = 80;

pub(crate) fn quoted(text: &str) -> Box<str> {
    match text.char_indices().nth(QUOTED) {
        None => text.into(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
    }
}

impl Error {
    /// An error of a command set's own, in words for the client.
    pub fn refused(message: impl Into<Box<str>>) -> Self {
        Self::Refused(message.into())
    }

    /// Whether the line itself was wrong: such a line will be wrong again.
    pub fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::EmptyLine
                | Self::MissingArgument { .. }
                | Self::ExtraArgument { .. }
                | Self::UnknownArgument { .. }
                | Self::RepeatedArgument { .. }
                | Self::BadArgument { .. }
        )
    }

    /// Whether the command or the channel is not there for this visitor.
    pub fn is_unavailable_to_visitor(&self) -> bool {
        matches!(
            self,
            Self::UnknownCommand { .. }
                | Self::Denied { .. }
                | Self::Backend(BackendError::Forbidden)
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyLine => write!(f, "empty line: expected a command"),
            Self::UnknownCommand { name } => write!(f, "unknown command `{name}`"),
            Self::MissingArgument { name, usage } => {
                write!(f, "argument `{name}` is missing: {usage}")
            }
            Self::ExtraArgument { value, usage } => {
                write!(f, "no place for argument `{value}`: {usage}")
            }
            Self::UnknownArgument { name, value, usage } => {
                write!(f, "no argument is named `{name}` (in `{name}={value}`): {usage}")
            }
            Self::RepeatedArgument { name, value } => {
                write!(f, "argument `{name}` is given twice, the second time as `{value}`")
            }
            Self::BadArgument { name, value, reason } => {
                write!(f, "argument `{name}` cannot be `{value}`: {reason}")
            }
            Self::Denied { name } => write!(f, "`{name}` is not allowed"),
            Self::LimitReached { limit, max, value } => {
                write!(f, "`{value}` goes beyond the limit of {max} {limit}")
            }
            Self::Backend(error) => error.fmt(f),
            Self::Refused(message) => message.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Backend(error) => Some(error),
            _ => None,
        }
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

/// A line that was refused: the error, and what the client needs to match it to its line.
#[derive(Debug)]
pub struct Refused {
    /// The first word of the line; `None` for an empty one.
    pub command: Option<Box<str>>,
    /// The line's `client_ref` argument, where its command has one.
    pub client_reference: Option<String>,
    /// What was wrong.
    pub error: Error,
}

impl Refused {
    /// The frame that tells the client: source `websocket`, content
    /// `{"status":"error","command":…,"message":…}`.
    pub fn envelope(&self) -> Envelope {
        let content = serde_json::json!({
            "status": "error",
            "command": self.command,
            "message": self.error.to_string(),
        });
        Envelope::status(Content::from(content)).referenced(self.client_reference.clone())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
