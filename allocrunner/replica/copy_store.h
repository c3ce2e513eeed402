// The copies that are held here, on disk.
//
//     copies/<folder of the lineage>/
//         tree/      the newest complete version, as directories and files
//         current    its signed header and manifest
//         seen       the same header again with a later taken_at, perhaps
//         staged     blocks of the next version, as they arrive
//         journal    the next version's header and manifest, once all its blocks are there
//         restored   the tree was renamed into an allocation directory: no copy here any more
//
// The journal is the turning point: before it is durable the old version is whole, after it the
// new one can always be finished from what is staged, and finishing may be begun again at any
// point. Only then does it become `current`. Nothing is half of two versions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "allocrunner/replica/file_tree.h"
#include "allocrunner/replica/io.h"
#include "allocrunner/replica/redo.h"
#include "allocrunner/replica/staging.h"

namespace gaggle::replica {

class CopyStore {
  public:
    /// Copies are below `top`, which is made when missing.
    CopyStore(FileTree& files, std::string top);

    struct Found {
        std::vector<SignedHeader> copies;   ///< complete ones
        std::vector<std::string> problems;  ///< damaged ones, for people; they are left alone
    };
    /// After a start: finishes what was begun. Once, before everything else.
    Found recover();

    TreeStaged carry_out(const StageTree& work);
    BlocksStaged carry_out(const StageBlocks& work);
    TreeCommitted carry_out(const CommitTree& work);
    TreeRead carry_out(const ReadTree& work);
    BlocksRead carry_out(const ReadBlocks& work);
    Result<void> carry_out(const RefreshCopy& work);
    Result<void> carry_out(const DropCopy& work);

    /// Moves the newest complete version into the allocation directory at `alloc_path` (same tree
    /// of files), where its folders may exist empty; the copy is then no longer held. Again for
    /// the same directory after a crash: finishes, or says the same again. The text is for people.
    Result<std::string> restore(const Lineage& lineage, const std::string& alloc_path,
                                WallTime wall);

  private:
    /// What `current` and `journal` hold.
    struct Stored {
        SignedHeader version;
        Bytes tree;
        template <class Self>
        static auto wire_fields(Self& s) {
            return std::tie(s.version, s.tree);
        }
    };
    struct Version {
        SignedHeader version;
        Tree tree;
    };
    struct Stage {
        SignedHeader version;
        Bytes encoded;
        Tree tree;
        Redo redo;
        Staging staging;
        std::map<Hash, BlockRef> needed;  ///< one place for each block that must be staged
        std::uint64_t age = 0;
    };

    std::string folder(const Lineage& lineage) const { return top_ + '/' + folder_of(lineage); }
    Result<std::optional<Version>> load(const std::string& path);
    Result<SignedHeader> recover_one(const std::string& folder);
    Result<void> roll_forward(const std::string& folder, Staging* known = nullptr);
    Result<std::optional<Version>> settled(const std::string& folder);
    Result<TreeStaged> stage(const StageTree& work);
    Result<TreeCommitted> commit(const CommitTree& work);
    Result<std::vector<BlockRef>> stage_from_tree(const std::string& folder, Stage& stage);
    Result<void> move_roots(const std::string& folder, const Tree& tree,
                            const std::string& alloc_path);
    Result<const Version*> held(const Lineage& lineage, const Hash& root);
    void make_room();

    FileTree& files_;
    std::string top_;
    std::map<Lineage, Stage> stages_;
    std::uint64_t stages_begun_ = 0;
    std::optional<Version> loaded_;  ///< the copy that was served last
};

}  // namespace gaggle::replica
