#include "allocrunner/replica/file_tree.h"

namespace gaggle::replica {

Result<bool> exists(FileTree& tree, const std::string& path) {
    const auto stat = tree.stat(path);
    if (stat) return true;
    if (stat.error().code == Errc::not_found) return false;
    return stat.error();
}

Result<void> remove_all(FileTree& tree, const std::string& path) {
    const auto stat = tree.stat(path);
    if (!stat && stat.error().code == Errc::not_found) return {};
    if (!stat) return stat.error();
    if (stat->type == Stat::Type::dir) {
        TRY(tree.make_dir(path));  // so that we may remove what is in it
        for (const Named& inner : TRY(tree.list(path)))
            TRY(remove_all(tree, path + '/' + inner.name));
    }
    return tree.remove(path);
}

Result<void> make_dirs(FileTree& tree, const std::string& path) {
    if (path.empty() || TRY(exists(tree, path))) return {};
    TRY(make_dirs(tree, parent_of(path)));
    return tree.make_dir(path);
}

Result<void> replace_file(FileTree& tree, const std::string& path, BytesView bytes) {
    const std::string fresh = path + ".new";
    TRY(remove_all(tree, fresh));
    TRY(tree.make_file(fresh, bytes.size()));
    TRY(tree.write(fresh, 0, bytes));
    TRY(tree.sync(fresh));
    TRY(tree.rename(fresh, path));
    return tree.sync(parent_of(path));
}

Result<Bytes> read_file(FileTree& tree, const std::string& path, std::uint64_t limit) {
    const Stat stat = TRY(tree.stat(path));
    if (stat.size > limit)
        return Error{Errc::corrupt, "read " + path + ": " + std::to_string(stat.size) +
                                        " bytes exceed the limit of " + std::to_string(limit)};
    return tree.read(path, 0, stat.size);
}

}  // namespace gaggle::replica
