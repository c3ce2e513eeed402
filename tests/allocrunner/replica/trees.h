// Allocation directories for tests: files with chosen or random content, and their manifests.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "allocrunner/replica/scan.h"
#include "base/rng.h"
#include "tests/sim/memory_tree.h"

namespace gaggle::replica::test {

inline const Lineage kLineage{"default", "redis", "cache", 0};
inline const AllocId kAlloc{{1}};

inline PeerId peer(std::uint8_t number) { return PeerId{{number}}; }

/// The value, or a failed test with the error's text.
template <class T>
T must(Result<T> result) {
    const std::string error = result ? "" : result.error().detail;
    REQUIRE(error == "");
    return std::move(result).value();
}
inline void must(const Result<void>& result) {
    const std::string error = result ? "" : result.error().detail;
    REQUIRE(error == "");
}

/// Signatures that name their signer; nobody else can make them, for nobody tries.
inline Keys keys_of(const PeerId& self) {
    const auto tag = [](const PeerId& signer, BytesView message) {
        const Hash hash = hash_of(Hash{{signer.bytes[0]}}, message);
        return Bytes(hash.bytes.begin(), hash.bytes.end());
    };
    return {.sign = [=](BytesView message) { return tag(self, message); },
            .verify =
                [=](const PeerId& signer, BytesView message, BytesView signature) {
                    const Bytes wanted = tag(signer, message);
                    return std::equal(wanted.begin(), wanted.end(), signature.begin(),
                                      signature.end());
                }};
}

inline Bytes random_bytes(Rng& rng, std::size_t size) {
    Bytes out(size);
    for (auto& byte : out) byte = static_cast<std::uint8_t>(rng.next() | 1U);
    return out;
}

inline void put_file(FileTree& files, const std::string& path, const Bytes& content) {
    must(make_dirs(files, parent_of(path)));
    must(files.make_file(path, content.size()));
    must(files.write(path, 0, content));
}

/// As a scanner without memory sees the allocation directory at `path`.
inline Scan scan_of(FileTree& files, const std::string& path) {
    Scanner scanner;
    return must(scanner.scan(files, path, WallTime{std::int64_t{1} << 60}, nullptr));
}

/// A random directory of a task: files of 0 to 5 blocks with holes, folders, links, owners, modes.
/// The same names come again, so that two calls give trees with much in common.
inline void fill_at_random(FileTree& files, const std::string& top, Rng& rng) {
    const auto some_folder = [&] {
        static constexpr const char* kFolders[] = {"alloc/data", "alloc/data/a", "alloc/data/a/b",
                                                   "web/local", "web/local/a-b"};
        return top + '/' + kFolders[rng.below(5)];
    };
    must(make_dirs(files, top + "/alloc/data"));
    for (std::uint64_t steps = 3 + rng.below(12); steps > 0; --steps) {
        const std::string folder = some_folder();
        must(make_dirs(files, folder));
        const std::string path =
            folder + '/' + std::string(1, static_cast<char>('k' + rng.below(5)));
        const bool there = must(exists(files, path));
        if (there && rng.chance(0.5)) {
            const Stat stat = must(files.stat(path));
            if (stat.type != Stat::Type::file || stat.size == 0) continue;
            must(files.write(path, rng.below(stat.size), random_bytes(rng, 10)));
            continue;
        }
        must(remove_all(files, path));
        const std::uint64_t kind = rng.below(10);
        if (kind == 0) {
            must(files.make_symlink(path, rng.chance(0.5) ? "/etc/passwd" : "k"));
        } else if (kind == 1) {
            must(files.make_dir(path));
        } else {
            must(files.make_file(path, rng.below(5 * kBlockBytes)));
            const std::uint64_t blocks = rng.below(4);
            for (std::uint64_t block = 0; block < blocks; ++block)
                must(files.write(path, rng.below(4) * kBlockBytes, Bytes(50, 1 + rng.below(3))));
            must(files.set_attributes(path, {.mode = rng.chance(0.5) ? 0644U : 0400U,
                                             .uid = static_cast<std::uint32_t>(rng.below(3)),
                                             .mtime = static_cast<std::int64_t>(rng.below(1000)),
                                             .xattrs = {{"user.x", random_bytes(rng, 2)}}}));
            const std::string other = some_folder() + "/linked";
            if (kind <= 4 && must(exists(files, parent_of(other)))) {
                must(remove_all(files, other));
                must(files.make_hardlink(other, path));
            }
        }
    }
}

}  // namespace gaggle::replica::test
