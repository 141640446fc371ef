//! What is said about a case: `suppress`, `comment`, `explain`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How far a suppression reaches, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeChoice {
    /// This finding, also when the evidence is analysed again.
    Finding,
    /// Everything that its rule finds.
    Rule,
    /// What its rule finds of the same actors alone.
    Host,
    /// What its rule finds between the same actors and targets alone.
    Pair,
    /// What its rule finds about a domain alone.
    Domain,
}

/// `vigil suppress`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil suppress dump.vigil F7 --reason 'nightly backup'\n  \
    vigil suppress dump.vigil F7 --reason 'monitoring asks every minute' --scope pair --expires 30d\n  \
    vigil suppress dump.vigil F2 --reason 'our CDN' --scope domain --domain '*.cdn.example'\n  \
    vigil suppress dump.vigil --list\n  \
    vigil suppress dump.vigil --undo S4          or --undo F7: all that puts F7 aside\n\n\
    A suppression stays within the rule of its finding. A domain example.com is the name and all names under it,\n\
    *.example.com only the names under it; what the public registers under, such as co.uk, is refused. A finding\n\
    that speaks of further hosts or domains is not put aside. Findings stay in the case: reports, terminal and\n\
    `vigil sql` (findings.suppressed, suppressions) leave them out when they are read, and count them.")]
pub struct SuppressArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Finding
    #[arg(value_name = "FINDING", required_unless_present_any = ["list", "undo"], conflicts_with_all = ["list", "undo"])]
    pub finding: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["list", "undo"])]
    pub reason: Option<String>,
    /// How far it reaches
    #[arg(long, value_enum, default_value_t = ScopeChoice::Finding)]
    pub scope: ScopeChoice,
    /// With --scope domain: which [default: the one that the finding names]
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// Who [default: the user that is logged in]
    #[arg(long, value_name = "NAME", env = "VIGIL_AUTHOR")]
    pub author: Option<String>,
    /// For how long, such as 12h, 30d or 8w [default: for good]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// List suppressions, those undone and expired too
    #[arg(long)]
    pub list: bool,
    /// Take back a suppression, or all that put a finding aside
    #[arg(long, value_name = "ID", conflicts_with = "list")]
    pub undo: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `vigil comment`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  vigil comment dump.vigil F7 'asked the owner: a test, see ticket 4711' --author kim")]
pub struct CommentArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// Finding
    #[arg(value_name = "FINDING")]
    pub finding: String,
    /// What is to be noted
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// Who [default: the user that is logged in]
    #[arg(long, value_name = "NAME", env = "VIGIL_AUTHOR")]
    pub author: Option<String>,
}

/// APIs of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApiChoice {
    /// Anthropic's Messages API; the key is in ANTHROPIC_API_KEY.
    Anthropic,
    /// Chat completions as OpenAI, Ollama, llama.cpp, LM Studio and vLLM speak them; the key, if any, is in OPENAI_API_KEY.
    Openai,
}

/// A model that tells the case in words
#[derive(Args, Debug)]
#[command(next_help_heading = "In the words of a model")]
pub struct ModelArgs {
    /// Have the case told by a model instead of the template: findings are sent to it, nothing else
    #[arg(long, value_name = "API")]
    pub llm: Option<ApiChoice>,
    /// Model [default: claude-sonnet-4-5 for anthropic]
    #[arg(long, value_name = "NAME", requires = "llm")]
    pub model: Option<String>,
    /// Base address of the server [default: https://api.anthropic.com, http://127.0.0.1:11434]
    #[arg(long, value_name = "URL", requires = "llm")]
    pub server: Option<String>,
    /// Send real names also to a model on another machine
    #[arg(long, requires = "llm", conflicts_with = "pseudonyms")]
    pub real_names: bool,
    /// Send pseudonyms also to a model on this machine
    #[arg(long, requires = "llm")]
    pub pseudonyms: bool,
    /// Tokens to spend at most, both ways together
    #[arg(long, value_name = "TOKENS", default_value_t = 100_000, requires = "llm")]
    pub budget: u64,
    /// Time for one answer
    #[arg(long, value_name = "TIME", default_value = "120s", requires = "llm")]
    pub timeout: String,
}

/// `vigil explain`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    vigil explain dump.vigil                       the case and its incidents, told by a template: nothing leaves\n  \
    vigil explain dump.vigil I1 F3\n  \
    vigil explain dump.vigil --llm anthropic --dry-run      prints exactly what would be sent\n  \
    vigil explain dump.vigil I1 --llm anthropic\n  \
    vigil explain dump.vigil --llm openai --server http://127.0.0.1:11434 --model qwen3:14b\n\n\
    A model is asked only with --llm. It is sent findings, never payloads, packets or paths; addresses, names, accounts\n\
    and hardware are replaced by pseudonyms unless it runs on this machine. A sentence that cites no finding, or names\n\
    what its findings do not hold, is dropped and counted. Where it fails, the template takes over and says why. What\n\
    it said goes to the journal, into reports, and is not asked for twice.")]
pub struct ExplainArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    pub case: PathBuf,
    /// case, I1 or F3 [default: the case and all its incidents]
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// The model, if one is asked.
    #[command(flatten)]
    pub asked: ModelArgs,
    /// Print what would be sent, and send nothing
    #[arg(long, requires = "llm")]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
