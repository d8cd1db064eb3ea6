//! The words by which prose is judged. Lists of words as texts: what is looked up is a word of theirs.

/// Whether a word is one of a list.
pub(super) fn among(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Numbers in words.
pub(super) const NUMBERS: &str = "\
    zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds \
    thousand thousands million millions billion dozen dozens half quarter third thirds twice thrice double \
    doubled triple tripled tenfold percent percentage couple";

/// Units of time, times of day, names of days and months.
pub(super) const TIMES: &str = "\
    second seconds millisecond milliseconds minute minutes hour hours day days week weeks noon midnight \
    morning afternoon evening night today yesterday tomorrow monday tuesday wednesday thursday friday saturday \
    sunday january february march april june july august september october november december am pm";

/// Words that say how many.
pub(super) const QUANTITIES: &str = "\
    all every everything everyone everybody none nobody always never most majority entire entirely completely \
    total totally";

/// Capitals that are no names.
pub(super) const ACRONYMS: &str = "\
    HTTP HTTPS DNS TCP UDP API TLS SQL URL JSON ID IDS CPU IP GRPC RPC I";

/// How a sentence may begin, where it does not begin with a slot: a name at the beginning looks like any other word.
pub(super) const BEGINNINGS: &str = "\
    a about access according after afterwards again although an and another any apart as ask at because been \
    before behind being besides between both but by call called caller callers calls check clearly clients \
    compare confirm connection connections consider customers despite downstream due during each earlier early \
    either error errors even eventually existing failed failing failure failures find first fix following for \
    from further given had half having he her here his how however if in incoming increase inspect instead \
    investigate is it its itself just keep latency later less like likely look make many maybe meanwhile more \
    moreover new next no nothing now of often on once one only open or other others our out outgoing over \
    people perhaps possibly presumably probably queries raise rather recent repeated repeating request \
    requests response responses restart restore result retries retrying review roll same scale see several she \
    shortly similar since slow slowly so some somebody someone something soon still such than that the their \
    then there therefore these they this those though through throughout thus timeouts to together too traffic \
    under unless until up upstream users usually verify waiting we what whatever when whenever where whether \
    which while who whoever why with within without work you your";

/// What a name stands before, and what may stand there all the same.
pub(super) const THINGS: &str = "\
    service services pod pods node nodes deployment container database cache queue gateway server servers host \
    hosts cluster namespace workload workloads replica proxy broker team provider backend frontend";

/// What may stand before such a word and is no name.
pub(super) const BEFORE_THINGS: &str = "\
    a affected an and another any at backing broken by called callee calling caller each external failing \
    faulty first for from healthy in internal is its last later next of on one or other particular per same \
    several single slow some that the their these this those to upstream downstream was which with whose your";

/// Words with a hyphen that are no names.
pub(super) const HYPHENATED: &str = "\
    time-out time-outs end-to-end user-facing follow-up well-known so-called up-to-date read-only server-side \
    client-side knock-on on-call re-run re-try retry-storm back-pressure rate-limit rate-limits round-trip \
    fail-over roll-back cross-check double-check first-hand long-running in-flight";

/// Parts of names that are words of their own.
pub(super) const GENERIC: &str = "\
    api app backend cache client cluster data database default dns frontend gateway host http internal job \
    load main network node outside proxy queue server service services store system test traffic user users \
    web worker";

/// Words that name a cause.
pub(super) const BLAME: &str = "\
    cause caused causes causing culprit root blame blamed fault faulty responsible guilty origin originated \
    source";

/// Words that deny something.
pub(super) const DENIAL: &str = "\
    not no nor neither cannot without healthy fine innocent normal normally unaffected recovered nothing isn't \
    wasn't didn't doesn't don't hardly barely";
