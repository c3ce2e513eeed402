// The half of CopyStore that gives a copy away: into the directory of a new allocation.
#include <fmt/core.h>

#include "allocrunner/replica/copy_store.h"
#include "allocrunner/replica/stored.h"

namespace gaggle::replica {

namespace {

/// What the file `restored` says.
struct Restored {
    std::string alloc_path;
    std::string note;  ///< empty: it was begun and not finished
    template <class Self>
    static auto wire_fields(Self& s) {
        return std::tie(s.alloc_path, s.note);
    }
};

std::string note_for(const Header& header, WallTime wall) {
    const auto age = std::chrono::nanoseconds(
        std::max<std::int64_t>(wall.nanoseconds - header.taken_at.nanoseconds, 0));
    return fmt::format("restored copy of {}, taken {} ago, {} by rename", to_string(header.version),
                       for_people(std::chrono::duration_cast<Duration>(age)),
                       size_for_people(header.bytes));
}

bool has_children(const Tree& tree, const Entry& folder) {
    const auto next = static_cast<std::size_t>(&folder - tree.entries.data()) + 1;
    for (std::size_t at = next; at < tree.entries.size(); ++at) {
        if (!tree.entries[at].path.starts_with(folder.path)) return false;
        if (parent_of(tree.entries[at].path) == folder.path) return true;
    }
    return false;
}

}  // namespace

Result<std::string> CopyStore::restore(const Lineage& lineage, const std::string& alloc_path,
                                       WallTime wall) {
    const std::string folder = this->folder(lineage);
    const std::string marker = folder + "/restored";
    const std::string what = "restore copy of " + to_string(lineage);
    stages_.erase(lineage);
    loaded_.reset();
    if (TRY(exists(files_, marker))) {
        const Bytes bytes = TRY(read_file(files_, marker, kStoredBytesMax));
        const Restored earlier = TRY(decode_stored<Restored>(bytes, marker));
        if (earlier.alloc_path != alloc_path)
            return Error{Errc::unavailable, what + ": it already went into " + earlier.alloc_path};
        if (!earlier.note.empty()) return earlier.note;
    } else if (auto rolled = roll_forward(folder); !rolled) {
        return within(what, std::move(rolled).error());
    }
    auto recovered = TRY(load(folder + "/current"));
    if (!recovered) return Error{Errc::not_found, what + ": no complete copy is held here"};
    Header header = recovered->version.header;
    if (const auto seen = read_file(files_, folder + "/seen", kStoredBytesMax)) {
        const auto later = decode_stored<SignedHeader>(*seen, folder + "/seen");
        if (later && later->header.root == header.root && later->header.version == header.version &&
            later->header.taken_at > header.taken_at)
            header.taken_at = later->header.taken_at;
    }

    TRY(replace_file(files_, marker, encode_stored(Restored{alloc_path, ""})));
    if (auto moved = move_roots(folder, recovered->tree, alloc_path); !moved)
        return within(what, std::move(moved).error());
    const std::string note = note_for(header, wall);
    TRY(replace_file(files_, marker, encode_stored(Restored{alloc_path, note})));
    for (const char* name : {"/current", "/seen", "/staged", "/tree"})
        TRY(remove_all(files_, folder + name));
    TRY(files_.sync(folder));
    return note;
}

Result<void> CopyStore::move_roots(const std::string& folder, const Tree& tree,
                                   const std::string& alloc_path) {
    for (const Entry& entry : tree.entries) {
        if (!is_root_folder(entry.path)) continue;
        const std::string from = folder + "/tree/" + entry.path;
        const std::string to = alloc_path + '/' + entry.path;
        if (TRY(exists(files_, from))) {
            TRY(make_dirs(files_, parent_of(to)));
            TRY(files_.rename(from, to));
        } else if (!TRY(exists(files_, to)) ||
                   (has_children(tree, entry) && TRY(files_.list(to)).empty())) {
            return Error{Errc::corrupt, "move " + from + ": it is missing; the copy is damaged"};
        }
        TRY(files_.sync(parent_of(to)));
    }
    return files_.sync(alloc_path);
}

}  // namespace gaggle::replica
