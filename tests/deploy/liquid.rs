//! Templates rendered as Spin renders them: by the same library, with its partials and the one of its filters that ours
//! use. Spin writes a file that it cannot parse as it is; here that is an error.

use ::liquid::partials::{EagerCompiler, InMemorySource};
use ::liquid::{Object, Parser, ParserBuilder};
use heck::ToKebabCase;
use liquid_core::{
    Display_filter, Error, Filter, FilterReflection, ParseFilter, Runtime, Value, ValueView,
};

#[derive(Clone, ParseFilter, FilterReflection)]
#[filter(
    name = "kebab_case",
    description = "Words in lower case, joined by hyphens.",
    parsed(KebabCase)
)]
struct KebabCaseParser;

#[derive(Debug, Default, Display_filter)]
#[name = "kebab_case"]
struct KebabCase;

impl Filter for KebabCase {
    fn evaluate(&self, input: &dyn ValueView, _: &dyn Runtime) -> Result<Value, Error> {
        Ok(Value::scalar(input.to_kstr().to_kebab_case()))
    }
}

/// Renders what belongs to one template.
pub struct Renderer {
    parser: Parser,
    values: Object,
}

impl Renderer {
    /// The partials by their files' names.
    pub fn new(partials: Vec<(String, String)>, values: &[(String, String)]) -> Self {
        let mut source = EagerCompiler::<InMemorySource>::empty();
        for (name, text) in partials {
            source.add(name, text);
        }
        let parser = ParserBuilder::with_stdlib()
            .partials(source)
            .filter(KebabCaseParser)
            .build()
            .expect("a parser");
        let values = values
            .iter()
            .map(|(name, value)| (name.clone().into(), Value::scalar(value.clone())))
            .collect();
        Self { parser, values }
    }

    /// Renders the text of a file.
    pub fn render(&self, file: &str, text: &str) -> String {
        let template = self.parser.parse(text);
        template
            .and_then(|template| template.render(&self.values))
            .unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}
