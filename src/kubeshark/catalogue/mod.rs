//! What a given server offers, and how our operations are said in its words.
//!
//! Names of tools and parameters differ between versions of the server, so none is assumed: the
//! catalogue is built from `tools/list` and picks from the names that versions have used
//! ([`names`]). Schemas come from the server and are not trusted: their size is limited, regular
//! expressions in them run in linear time, and nothing is fetched for them.

mod error;
mod names;
mod request;
mod schema;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use error::CatalogueError;
pub use schema::ToolSchema;

use crate::{time::Utc, wire::Operation};
use schema::Tool;

/// The tools of one server.
#[derive(Clone, Debug)]
pub struct Catalogue {
    tools: Vec<Tool>,
}

/// One call of a tool, ready to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolRequest {
    pub tool: String,
    pub arguments: Map<String, Value>,
    /// Whether it may be sent again after the connection broke in the middle of it.
    #[serde(default)]
    pub repeatable: bool,
    /// Whether it moves a file and may take as long as that takes.
    #[serde(default)]
    pub patient: bool,
}

impl Catalogue {
    /// Takes the answer of `tools/list`. Of two tools with one name the first counts.
    pub fn from_tools(schemas: Vec<ToolSchema>) -> Self {
        let mut tools: Vec<Tool> = Vec::with_capacity(schemas.len());
        for schema in schemas {
            if tools.iter().all(|t| t.schema.name != schema.name) {
                tools.push(Tool::new(schema));
            }
        }
        Self { tools }
    }

    /// The schemas as the server sent them, to be kept and given to [`Self::from_tools`] again.
    pub fn schemas(&self) -> impl Iterator<Item = &ToolSchema> {
        self.tools.iter().map(|t| &t.schema)
    }

    /// What is odd about the server's schemas, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.tools.iter().filter_map(|t| t.note.clone()).collect()
    }

    /// Whether the server has a tool of this name.
    pub fn has(&self, tool: &str) -> bool {
        self.tool(&[tool]).is_some()
    }

    /// Whether the server has a tool for this.
    pub fn supports(&self, operation: &Operation) -> bool {
        self.tool(names::tools(operation)).is_some()
    }

    /// The tools that are lacking for `operations`, by their usual names, each once.
    pub fn missing(&self, operations: &[Operation]) -> Vec<&'static str> {
        self.lacking(operations.iter().map(names::tools))
    }

    /// The tools that are lacking for any investigation, by their usual names. They come from the
    /// Hub: where all are lacking, the MCP server runs but does not reach the Hub.
    pub fn missing_essentials(&self) -> Vec<&'static str> {
        self.lacking(names::ESSENTIAL.iter().copied())
    }

    fn lacking(&self, wanted: impl Iterator<Item = &'static [&'static str]>) -> Vec<&'static str> {
        let mut missing = Vec::new();
        for names in wanted {
            if let Some(usual) = names.first()
                && self.tool(names).is_none()
                && !missing.contains(usual)
            {
                missing.push(*usual);
            }
        }
        missing
    }

    /// Says `operation` in the server's words and checks the arguments against its schema.
    ///
    /// `now` is needed for servers that take a snapshot's window only as a duration that ends now.
    pub fn request(&self, operation: &Operation, now: Utc) -> Result<ToolRequest, CatalogueError> {
        let wanted = names::tools(operation);
        let tool = self.tool(wanted).ok_or_else(|| CatalogueError::NoTool {
            wanted: wanted.iter().map(|&name| name.to_owned()).collect(),
            offered: self.tools.len(),
        })?;
        let arguments = request::arguments(tool, operation, now)?;
        tool.check(&arguments)?;
        Ok(ToolRequest {
            tool: tool.schema.name.clone(),
            arguments,
            repeatable: operation.repeatable(),
            patient: matches!(
                operation,
                Operation::DownloadFile { .. } | Operation::ExportPcap { .. }
            ),
        })
    }

    /// The first of `names` that the server has.
    fn tool(&self, names: &[&str]) -> Option<&Tool> {
        names
            .iter()
            .find_map(|name| self.tools.iter().find(|t| t.schema.name == *name))
    }
}
