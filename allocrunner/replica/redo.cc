#include "allocrunner/replica/redo.h"

namespace gaggle::replica {

namespace {

constexpr std::size_t kSyncedOneByOneMax = 256;  ///< more than that: the whole file system

class Planner {
  public:
    Planner(const Tree* old, const Tree& next) : old_(old), next_(next) {}

    Redo plan() {
        for (const Entry& entry : next_.entries) redo_.kept.push_back(is_kept(entry));
        for (std::size_t at = 0; at < next_.entries.size(); ++at)
            if (next_.entries[at].kind == Kind::file) plan_blocks(at);
        if (old_ == nullptr) return std::move(redo_);
        for (auto entry = old_->entries.rbegin(); entry != old_->entries.rend(); ++entry) {
            const Entry* next = next_.find(entry->path);
            if (next == nullptr || !redo_.kept[static_cast<std::size_t>(next - &next_.entries[0])])
                redo_.removals.push_back(entry->path);
        }
        return std::move(redo_);
    }

  private:
    /// Names that do not stay are gone before anything is written, so a file that stays has no
    /// other names by then than hard links that stay with it: writing to it changes no other file.
    bool is_kept(const Entry& entry) const {
        const Entry* before = old_ == nullptr ? nullptr : old_->find(entry.path);
        if (before == nullptr || before->kind != entry.kind) return false;
        if (entry.kind == Kind::symlink) return before->target == entry.target;
        if (entry.kind != Kind::hardlink) return true;
        // Both trees are well formed: this target is a file in each of them, so it stays too.
        return before->target == entry.target;
    }

    void plan_blocks(std::size_t at) {
        const Entry& entry = next_.entries[at];
        const Entry* before = redo_.kept[at] ? old_->find(entry.path) : nullptr;
        for (std::size_t block = 0; block < entry.blocks.size(); ++block) {
            const Hash& hash = entry.blocks[block];
            const bool was_there = before != nullptr && block < before->blocks.size();
            if (was_there && before->blocks[block] == hash) continue;
            const BlockRef ref{static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(block)};
            if (!hash.empty())
                redo_.writes.push_back(ref);
            else if (was_there)
                redo_.punches.push_back(ref);
        }
    }

    const Tree* old_;
    const Tree& next_;
    Redo redo_;
};

class Worker {
  public:
    Worker(const Redo& redo, const Tree* old, const Tree& next, FileTree& files,
           const std::string& top)
        : redo_(redo), old_(old), next_(next), files_(files), top_(top) {}

    Result<void> run(const ReadBlock& read) {
        TRY(clear());
        TRY(make_entries());
        TRY(write_blocks(read));
        TRY(link());
        TRY(set_attributes());
        return sync();
    }

  private:
    std::string at(const std::string& path) const { return top_ + '/' + path; }

    Result<void> clear() {
        if (old_ == nullptr) TRY(remove_all(files_, top_));
        TRY(make_dirs(files_, top_));
        for (const Entry& entry : next_.entries)
            if (is_root_folder(entry.path)) TRY(make_dirs(files_, at(parent_of(entry.path))));
        if (old_ != nullptr)
            for (const Entry& entry : old_->entries)  // so that we may write in it
                if (entry.kind == Kind::dir && TRY(is_dir(entry.path)))
                    TRY(files_.make_dir(at(entry.path)));
        for (const std::string& path : redo_.removals) {
            TRY(remove_all(files_, at(path)));
            note_folder(path);
        }
        return {};
    }

    Result<bool> is_dir(const std::string& path) {
        const auto stat = files_.stat(at(path));
        if (!stat && stat.error().code != Errc::not_found) return stat.error();
        return stat && stat->type == Stat::Type::dir;
    }

    Result<void> make_entries() {
        for (std::size_t i = 0; i < next_.entries.size(); ++i) {
            const Entry& entry = next_.entries[i];
            if (redo_.kept[i] && entry.kind != Kind::file) continue;
            if (!redo_.kept[i]) {
                TRY(remove_all(files_, at(entry.path)));
                note_folder(entry.path);
            }
            if (entry.kind == Kind::dir) TRY(files_.make_dir(at(entry.path)));
            if (entry.kind == Kind::symlink) TRY(files_.make_symlink(at(entry.path), entry.target));
            const Entry* before = redo_.kept[i] ? old_->find(entry.path) : nullptr;
            if (entry.kind == Kind::file && (before == nullptr || *before != entry)) {
                TRY(files_.make_file(at(entry.path), entry.size));
                touched_.insert(i);
            }
        }
        return {};
    }

    Result<void> write_blocks(const ReadBlock& read) {
        for (const BlockRef& ref : redo_.writes) {
            const Entry& entry = next_.entries[ref.entry];
            const Bytes bytes = TRY(read(entry.blocks[ref.block]));
            if (bytes.size() != block_length(entry.size, ref.block))
                return Error{Errc::corrupt, "write " + at(entry.path) + ": a block of " +
                                                std::to_string(bytes.size()) +
                                                " bytes does not fit its place"};
            TRY(files_.write(at(entry.path), ref.block * kBlockBytes, bytes));
        }
        for (const BlockRef& ref : redo_.punches) {
            const Entry& entry = next_.entries[ref.entry];
            TRY(files_.punch(at(entry.path), ref.block * kBlockBytes,
                             block_length(entry.size, ref.block)));
        }
        return {};
    }

    Result<void> link() {
        for (std::size_t i = 0; i < next_.entries.size(); ++i) {
            const Entry& entry = next_.entries[i];
            if (entry.kind == Kind::hardlink && !redo_.kept[i])
                TRY(files_.make_hardlink(at(entry.path), at(entry.target)));
        }
        return {};
    }

    /// Folders last and from the inside out: writing in one moves its mtime and needs its mode.
    Result<void> set_attributes() {
        for (std::size_t i = 0; i < next_.entries.size(); ++i) {
            const Entry& entry = next_.entries[i];
            const bool is_new_link =
                entry.kind == Kind::symlink && (!redo_.kept[i] || *old_->find(entry.path) != entry);
            if (touched_.contains(i) || is_new_link)
                TRY(files_.set_attributes(at(entry.path), entry.attributes));
        }
        for (auto entry = next_.entries.rbegin(); entry != next_.entries.rend(); ++entry)
            if (entry->kind == Kind::dir)
                TRY(files_.set_attributes(at(entry->path), entry->attributes));
        return {};
    }

    void note_folder(const std::string& path) { folders_.insert(at(parent_of(path))); }

    Result<void> sync() {
        std::set<std::string> paths = std::move(folders_);
        for (const std::size_t i : touched_) paths.insert(at(next_.entries[i].path));
        for (const Entry& entry : next_.entries) {
            if (entry.kind == Kind::dir) paths.insert(at(entry.path));
            if (is_root_folder(entry.path)) paths.insert(at(parent_of(entry.path)));
        }
        paths.insert(top_);
        paths.insert(parent_of(top_));
        if (paths.size() > kSyncedOneByOneMax) return files_.sync_all();
        for (const std::string& path : paths)
            if (TRY(exists(files_, path))) TRY(files_.sync(path));
        return {};
    }

    const Redo& redo_;
    const Tree* old_;
    const Tree& next_;
    FileTree& files_;
    const std::string& top_;
    std::set<std::size_t> touched_;  ///< files, by entry
    std::set<std::string> folders_;  ///< whose names have changed
};

}  // namespace

Redo plan_redo(const Tree* old, const Tree& next) { return Planner(old, next).plan(); }

std::set<Hash> blocks_needed(const Redo& redo, const Tree& next) {
    std::set<Hash> needed;
    for (const BlockRef& ref : redo.writes) needed.insert(*block_at(next, ref));
    return needed;
}

Result<void> carry_out(const Redo& redo, const Tree* old, const Tree& next, FileTree& files,
                       const std::string& top, const ReadBlock& read) {
    return Worker(redo, old, next, files, top).run(read);
}

}  // namespace gaggle::replica
