//! What the prompts of a scenario hold, where its engines have a prefix cache that goes by it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::schema::{Context, Data, Node, Place, Problem, Tree};
use crate::service::{ContentRows, Contents, Model as ServiceModel};
use crate::sim::Model;
use crate::traffic::{FileError, RowBlocks, row_blocks};

/// Tells the engines what prompts hold: what sessions have said, or the blocks that the rows of a trace name.
///
/// # Errors
/// Nothing is known of what prompts hold.
pub(super) fn connect(tree: &Tree, model: &mut Model, context: &Context) -> Result<(), Problem> {
    let ServiceModel::Llm(llm) = &mut model.service.model else { return Ok(()) };
    let Some(contents) = &mut llm.prefix_cache else { return Ok(()) };
    if let Some(session) = &model.client.session {
        *contents = Contents::Sessions { common_tokens: session.common_tokens };
        return Ok(());
    }
    let unknown = |message: &str| {
        let label =
            "expected `client.session`, or a trace whose rows name the blocks of their prompts (`hash_ids`)";
        let help = "a share of each prompt that is found whatever it holds: service.prefix_hit";
        let place = tree.get("service.prefix_cache").map_or(&Place::Nowhere, |node| &node.place);
        Problem::new(place, message, label).help(help)
    };
    let file = match tree.get("arrivals.file") {
        Some(Node { data: Data::Text(file), place }) if model.client.users.is_none() => Some((file, place)),
        _ => None,
    };
    let (Some((file, place)), Some(rows)) = (file, model.arrivals.rows()) else {
        return Err(unknown("it is not known what prompts hold"));
    };
    if !model.service.from_trace.prompt_tokens {
        return Err(unknown(
            "the blocks of a trace are those of its prompts, and `service.prompt_tokens` is written",
        ));
    }
    let named = context.file(file);
    let key = format!("content of {}", named.path.display());
    let found = context
        .load_once(&key, || Ok(row_blocks(&named)?.map(NamedBlocks::of)))
        .map_err(|error: FileError| error.at(place))?;
    let Some(NamedBlocks { prompts, content }) = &*found else {
        return Err(unknown("the rows of the trace do not name the blocks of their prompts"));
    };
    let tokens = &rows.trace().prompt_tokens;
    let is_same = tokens.len() == prompts.len()
        && tokens.range(0..tokens.len()).zip(prompts).all(|(one, other)| one == *other);
    if !is_same {
        return Err(unknown("the requests of the trace are not the rows of its file in their order"));
    }
    *contents = Contents::Rows(Arc::clone(content));
    Ok(())
}

/// What the rows of a file name: tokens of each prompt, and the blocks, numbered as they first appear.
#[derive(Debug)]
struct NamedBlocks {
    prompts: Vec<u64>,
    content: Arc<ContentRows>,
}

impl NamedBlocks {
    fn of(found: RowBlocks) -> NamedBlocks {
        let mut numbers: HashMap<u64, u32> = HashMap::new();
        let mut content = ContentRows::new(found.block_tokens as u32);
        let mut prompts = Vec::with_capacity(found.rows.len());
        for (length, blocks) in found.rows {
            prompts.push(length.round() as u64);
            content.push(blocks.into_iter().map(|block| {
                let next = numbers.len() as u32;
                *numbers.entry(block).or_insert(next)
            }));
        }
        NamedBlocks { prompts, content: Arc::new(content) }
    }
}
