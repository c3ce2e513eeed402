#include "allocrunner/replica/copy_store.h"

#include <algorithm>

#include "allocrunner/replica/stored.h"

namespace gaggle::replica {

namespace {

constexpr std::size_t kStagesMax = 32;  ///< in memory; more than pulls at a time
constexpr std::uint64_t kStagedSlack = std::uint64_t{64} << 20U;

/// Where each block of a tree is.
std::map<Hash, BlockRef> places_of(const Tree& tree) {
    std::map<Hash, BlockRef> places;
    for (std::uint32_t at = 0; at < tree.entries.size(); ++at) {
        const auto& blocks = tree.entries[at].blocks;
        for (std::uint32_t block = 0; block < blocks.size(); ++block)
            if (!blocks[block].empty()) places.try_emplace(blocks[block], BlockRef{at, block});
    }
    return places;
}

Result<Bytes> read_block(FileTree& files, const std::string& folder, const Tree& tree,
                         BlockRef ref) {
    const Entry& entry = tree.entries[ref.entry];
    Bytes bytes = TRY(files.read(folder + "/tree/" + entry.path, ref.block * kBlockBytes,
                                 block_length(entry.size, ref.block)));
    if (hash_of(bytes) != entry.blocks[ref.block])
        return Error{Errc::corrupt, "read " + folder + "/tree/" + entry.path +
                                        ": its bytes are not those of its manifest"};
    return bytes;
}

}  // namespace

CopyStore::CopyStore(FileTree& files, std::string top) : files_(files), top_(std::move(top)) {}

// --- a version, arriving

TreeStaged CopyStore::carry_out(const StageTree& work) {
    auto staged = stage(work);
    if (staged) return *std::move(staged);
    return {.work = work.work,
            .error = "stage copy of " + to_string(work.version.header.lineage) + ": " +
                     staged.error().detail};
}

Result<TreeStaged> CopyStore::stage(const StageTree& work) {
    const Header& header = work.version.header;
    const std::string folder = this->folder(header.lineage);
    std::optional<Staging> staging;  // known already: need not be read and checked again
    if (auto known = stages_.extract(header.lineage)) staging = std::move(known.mapped().staging);
    Tree tree = TRY(decode_tree(work.tree, header.root));
    if (content_bytes(tree) != header.bytes)
        return Error{Errc::corrupt, "its header and its manifest disagree about its size"};
    TRY(make_dirs(files_, folder));
    if (TRY(exists(files_, folder + "/restored")) || TRY(exists(files_, folder + "/journal")))
        staging.reset();
    if (TRY(exists(files_, folder + "/restored"))) TRY(carry_out(DropCopy{header.lineage}));
    TRY(make_dirs(files_, folder));
    const auto old = TRY(settled(folder));
    if (!staging) staging = TRY(Staging::open(files_, folder + "/staged"));

    make_room();
    Redo redo = plan_redo(old ? &old->tree : nullptr, tree);
    Stage stage{.version = work.version,
                .encoded = work.tree,
                .tree = std::move(tree),
                .redo = std::move(redo),
                .staging = *std::move(staging),
                .age = ++stages_begun_};
    for (const BlockRef& ref : stage.redo.writes)
        stage.needed.try_emplace(*block_at(stage.tree, ref), ref);
    if (stage.staging.bytes() > 2 * header.bytes + kStagedSlack)
        TRY(stage.staging.keep(blocks_needed(stage.redo, stage.tree)));

    TreeStaged out{.work = work.work, .blocks_total = stage.needed.size()};
    const auto here = old ? places_of(old->tree) : std::map<Hash, BlockRef>{};
    for (const auto& [hash, ref] : stage.needed)
        if (!stage.staging.has(hash) && !here.contains(hash)) out.missing.push_back(ref);
    std::sort(out.missing.begin(), out.missing.end());
    stages_.emplace(header.lineage, std::move(stage));
    return out;
}

void CopyStore::make_room() {
    while (stages_.size() >= kStagesMax)
        stages_.erase(std::min_element(stages_.begin(), stages_.end(), [](auto& a, auto& b) {
            return a.second.age < b.second.age;
        }));
}

BlocksStaged CopyStore::carry_out(const StageBlocks& work) {
    BlocksStaged out{.work = work.work};
    const auto found = stages_.find(work.lineage);
    if (found == stages_.end() || found->second.version.header.root != work.root) {
        out.error = "stage blocks of " + to_string(work.lineage) + ": that version is not staged";
        return out;
    }
    Stage& stage = found->second;
    for (const Block& block : work.blocks) {
        const Hash* hash = block_at(stage.tree, block.at);
        if (hash == nullptr || hash->empty() || hash_of(block.bytes) != *hash) {
            out.bad.push_back(block.at);
            continue;
        }
        if (auto added = stage.staging.add(*hash, block.bytes); !added) {
            out.error = "stage blocks of " + to_string(work.lineage) + ": " + added.error().detail;
            stages_.erase(found);
            return out;
        }
    }
    return out;
}

// --- a version, complete

TreeCommitted CopyStore::carry_out(const CommitTree& work) {
    auto committed = commit(work);
    if (!committed || committed->missing.empty()) stages_.erase(work.version.header.lineage);
    if (committed) return *std::move(committed);
    return {.work = work.work,
            .error = "keep copy of " + to_string(work.version.header.lineage) + ": " +
                     committed.error().detail};
}

Result<TreeCommitted> CopyStore::commit(const CommitTree& work) {
    const Header& header = work.version.header;
    const auto found = stages_.find(header.lineage);
    if (found == stages_.end() || found->second.version.header.root != header.root)
        return Error{Errc::not_found, "that version is not staged"};
    Stage& stage = found->second;
    stage.version = work.version;
    const std::string folder = this->folder(header.lineage);
    TreeCommitted out{.work = work.work, .missing = TRY(stage_from_tree(folder, stage))};
    if (!out.missing.empty()) return out;

    TRY(stage.staging.sync());
    const Bytes journal = encode_stored(Stored{stage.version, stage.encoded});
    TRY(replace_file(files_, folder + "/journal", journal));
    loaded_.reset();
    TRY(roll_forward(folder, &stage.staging));
    return out;
}

/// Blocks that are needed elsewhere than they are now are staged as well; gives those that cannot.
Result<std::vector<BlockRef>> CopyStore::stage_from_tree(const std::string& folder, Stage& stage) {
    std::vector<BlockRef> missing;
    const auto old = TRY(load(folder + "/current"));
    const auto here = old ? places_of(old->tree) : std::map<Hash, BlockRef>{};
    for (const auto& [hash, ref] : stage.needed) {
        if (stage.staging.has(hash)) continue;
        const auto place = here.find(hash);
        const auto bytes = place == here.end()
                               ? Result<Bytes>(Errc::not_found, "not here")
                               : read_block(files_, folder, old->tree, place->second);
        if (bytes)
            TRY(stage.staging.add(hash, *bytes));
        else
            missing.push_back(ref);
    }
    return missing;
}

Result<void> CopyStore::roll_forward(const std::string& folder, Staging* known) {
    const auto next = TRY(load(folder + "/journal"));
    if (!next) return {};
    const auto old = TRY(load(folder + "/current"));
    const Tree* before = old ? &old->tree : nullptr;
    std::optional<Staging> opened;
    if (known == nullptr) opened = TRY(Staging::open(files_, folder + "/staged"));
    Staging& staging = known != nullptr ? *known : *opened;
    TRY(replica::carry_out(plan_redo(before, next->tree), before, next->tree, files_,
                           folder + "/tree", [&](const Hash& hash) { return staging.get(hash); }));
    TRY(files_.rename(folder + "/journal", folder + "/current"));
    TRY(files_.sync(folder));
    return staging.clear();
}

/// The complete version in `folder`, after finishing what was begun. When that cannot be finished
/// because bytes are damaged, what is there is given up.
Result<std::optional<CopyStore::Version>> CopyStore::settled(const std::string& folder) {
    auto rolled = roll_forward(folder);
    if (rolled) {
        auto current = load(folder + "/current");
        if (current || current.error().code != Errc::corrupt) return current;
    } else if (rolled.error().code != Errc::corrupt && rolled.error().code != Errc::not_found) {
        return std::move(rolled).error();
    }
    for (const char* name : {"/current", "/journal"}) TRY(remove_all(files_, folder + name));
    TRY(files_.sync(folder));
    return std::optional<Version>();
}

Result<std::optional<CopyStore::Version>> CopyStore::load(const std::string& path) {
    if (!TRY(exists(files_, path))) return std::optional<Version>();
    const Bytes bytes = TRY(read_file(files_, path, kStoredBytesMax));
    Stored stored = TRY(decode_stored<Stored>(bytes, path));
    Tree tree = TRY(decode_tree(stored.tree, stored.version.header.root));
    return std::optional<Version>({std::move(stored.version), std::move(tree)});
}

// --- after a start

CopyStore::Found CopyStore::recover() {
    Found found;
    auto made = make_dirs(files_, top_);
    auto folders = made ? files_.list(top_) : Result<std::vector<Named>>(made.error());
    if (!folders) {
        found.problems.push_back("list copies in " + top_ + ": " + folders.error().detail);
        return found;
    }
    for (const Named& named : *folders) {
        if (named.stat.type != Stat::Type::dir) continue;
        const std::string folder = top_ + '/' + named.name;
        auto copy = recover_one(folder);
        if (copy)
            found.copies.push_back(*std::move(copy));
        else if (copy.error().code != Errc::not_found)
            found.problems.push_back("recover copy in " + folder + ": " + copy.error().detail);
    }
    return found;
}

Result<SignedHeader> CopyStore::recover_one(const std::string& folder) {
    const Error none{Errc::not_found, "no complete copy in " + folder};
    if (TRY(exists(files_, folder + "/restored"))) return none;
    if (auto rolled = roll_forward(folder); !rolled) {
        Error error = std::move(rolled).error();
        if (error.code == Errc::not_found) error.code = Errc::corrupt;
        return error;
    }
    auto current = TRY(load(folder + "/current"));
    if (!current) return none;
    const auto seen = read_file(files_, folder + "/seen", kStoredBytesMax);
    if (!seen) return std::move(current->version);
    const auto later = decode_stored<SignedHeader>(*seen, folder + "/seen");
    const Header& ours = current->version.header;
    if (!later || later->header.version != ours.version || later->header.root != ours.root ||
        later->header.lineage != ours.lineage || later->header.taken_at < ours.taken_at)
        return std::move(current->version);
    return *later;
}

Result<void> CopyStore::carry_out(const RefreshCopy& work) {
    const std::string path = folder(work.version.header.lineage) + "/seen";
    const Bytes bytes = encode_stored(work.version);
    // Not synced: it may be lost, and then the copy looks older than it is.
    TRY(files_.make_file(path + ".new", bytes.size()));
    TRY(files_.write(path + ".new", 0, bytes));
    return files_.rename(path + ".new", path);
}

Result<void> CopyStore::carry_out(const DropCopy& work) {
    stages_.erase(work.lineage);
    loaded_.reset();
    const std::string gone = folder(work.lineage);
    if (!TRY(exists(files_, gone))) return {};
    // The names first: a tree that is half removed must not be taken for a copy.
    for (const char* name : {"/current", "/journal"}) TRY(remove_all(files_, gone + name));
    TRY(files_.sync(gone));
    TRY(remove_all(files_, gone));
    return files_.sync(top_);
}

// --- serving

Result<const CopyStore::Version*> CopyStore::held(const Lineage& lineage, const Hash& root) {
    if (!loaded_ || loaded_->version.header.lineage != lineage ||
        loaded_->version.header.root != root) {
        loaded_ = TRY(load(folder(lineage) + "/current"));
        if (!loaded_ || loaded_->version.header.root != root) {
            loaded_.reset();
            return Error{Errc::not_found, "read copy of " + to_string(lineage) +
                                              ": that version is not here any more"};
        }
    }
    return &*loaded_;
}

TreeRead CopyStore::carry_out(const ReadTree& work) {
    TreeRead out{.work = work.work};
    const auto version = held(work.lineage, work.root);
    if (!version) {
        out.error = version.error().detail;
        return out;
    }
    const Bytes encoded = encode_tree((*version)->tree);
    const auto begin = std::min<std::uint64_t>(work.offset, encoded.size());
    const auto size = std::min<std::uint64_t>(work.size, encoded.size() - begin);
    const BytesView slice = BytesView(encoded).subspan(begin, size);
    out.bytes.assign(slice.begin(), slice.end());
    return out;
}

BlocksRead CopyStore::carry_out(const ReadBlocks& work) {
    BlocksRead out{.work = work.work};
    const auto version = held(work.lineage, work.root);
    for (const BlockRef& ref : work.blocks) {
        const Hash* hash = version ? block_at((*version)->tree, ref) : nullptr;
        auto bytes = hash == nullptr || hash->empty()
                         ? Result<Bytes>(Errc::not_found, "not here")
                         : read_block(files_, folder(work.lineage), (*version)->tree, ref);
        if (bytes)
            out.blocks.push_back({ref, *std::move(bytes)});
        else
            out.changed = true;
    }
    return out;
}

}  // namespace gaggle::replica
