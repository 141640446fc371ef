//! Two ways to ask: Anthropic's Messages API, and the chat completions that OpenAI began and many servers speak (Ollama, llama.cpp,
//! LM Studio, vLLM).

use super::prompt::{ANSWER_TOKENS, INSTRUCTIONS, schema};
use serde_json::{Value, json};

/// Which API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// <https://docs.anthropic.com/en/api/messages>
    Anthropic,
    /// `/v1/chat/completions`
    OpenAi,
}

/// Name of the tool that a model answers through, and of the schema.
const TOOL: &str = "tell";

impl Api {
    /// As typed and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
        }
    }

    /// Where it is asked, below the base address.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::OpenAi => "/v1/chat/completions",
        }
    }

    /// Headers, of which the key is one.
    pub(super) fn headers(self, key: Option<&str>) -> Vec<(&'static str, String)> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        match (self, key) {
            (Self::Anthropic, key) => {
                headers.push(("anthropic-version", "2023-06-01".into()));
                headers.extend(key.map(|key| ("x-api-key", key.to_owned())));
            }
            (Self::OpenAi, key) => headers.extend(key.map(|key| ("authorization", format!("Bearer {key}")))),
        }
        headers
    }

    /// The body of a request.
    pub(super) fn body(self, model: &str, question: &str) -> Value {
        match self {
            Self::Anthropic => json!({
                "model": model,
                "max_tokens": ANSWER_TOKENS,
                "system": INSTRUCTIONS,
                "messages": [{ "role": "user", "content": question }],
                "tools": [{ "name": TOOL, "description": "Hands over the sentences of the report.", "input_schema": schema() }],
                "tool_choice": { "type": "tool", "name": TOOL },
            }),
            Self::OpenAi => json!({
                "model": model,
                "max_tokens": ANSWER_TOKENS,
                "messages": [{ "role": "system", "content": INSTRUCTIONS }, { "role": "user", "content": question }],
                "response_format": { "type": "json_schema", "json_schema": { "name": TOOL, "strict": true, "schema": schema() } },
            }),
        }
    }

    /// The structured answer in a response; `None` where there is none.
    pub(super) fn answer(self, response: &Value) -> Option<Value> {
        match self {
            Self::Anthropic => {
                let parts = response["content"].as_array()?;
                parts
                    .iter()
                    .find(|part| part["type"] == "tool_use")
                    .map(|part| part["input"].clone())
                    .or_else(|| parts.iter().find_map(|part| loose(part["text"].as_str()?)))
            }
            Self::OpenAi => loose(response["choices"][0]["message"]["content"].as_str()?),
        }
    }

    /// Tokens that a response says it took.
    pub(super) fn tokens(self, response: &Value) -> Option<u64> {
        let usage = &response["usage"];
        let (asked, answered) = match self {
            Self::Anthropic => (&usage["input_tokens"], &usage["output_tokens"]),
            Self::OpenAi => (&usage["prompt_tokens"], &usage["completion_tokens"]),
        };
        Some(asked.as_u64()?.saturating_add(answered.as_u64()?))
    }
}

/// The JSON object in a text: small models wrap it in words or fences.
fn loose(text: &str) -> Option<Value> {
    let (from, to) = (text.find('{')?, text.rfind('}')?);
    serde_json::from_str(text.get(from..=to)?).ok()
}
