#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "allocrunner/setup/artifact_source.h"
#include "allocrunner/setup/beneath_posix.h"
#include "allocrunner/setup/fetch/digest.h"
#include "allocrunner/setup/fetch/fetch.h"
#include "allocrunner/setup/fetch/git.h"
#include "allocrunner/setup/fetch/tree.h"
#include "allocrunner/setup/fetch/unpack.h"

namespace gaggle::setup {

namespace {

using Kind = ArtifactSource::Kind;
constexpr const char* kRaw = "download";  // in the draft: as it came
constexpr const char* kTree = "tree";     // in the draft: unpacked
constexpr std::int64_t kListMax = 1 << 20;

Error failure(const std::string& what) { return {Errc::io, what + ": " + std::strerror(errno)}; }

/// From the host's name: s3.eu-west-1.amazonaws.com, bucket.s3-eu-west-1.amazonaws.com ...
std::string region_of(const ArtifactSource& source) {
    if (const std::string told = source.option("region"); !told.empty()) return told;
    std::string_view host = source.url;
    host.remove_prefix(std::min(host.find("://") + 3, host.size()));
    host = host.substr(0, host.find_first_of("/:"));
    const std::size_t end = host.find(".amazonaws.com");
    const std::size_t mark = host.rfind("s3", end);
    if (end == std::string_view::npos || mark == std::string_view::npos || mark + 3 > end)
        return "us-east-1";
    return std::string(host.substr(mark + 3, end - mark - 3));
}

Download download_of(const FetchOrder& order, const ArtifactSource& source) {
    Download out{.url = source.url,
                 .headers = order.artifact.headers,
                 .insecure = order.artifact.insecure,
                 .s3 = {},
                 .bytes_max = order.bytes_max,
                 .stall = order.stall,
                 .total = order.total};
    if (source.kind != Kind::s3) return out;
    out.headers.clear();  // they would have to be signed
    if (const std::string version = source.option("version"); !version.empty())
        out.url +=
            (out.url.find('?') == std::string::npos ? "?versionId=" : "&versionId=") + version;
    const std::string key = source.option("aws_access_key_id");
    if (!key.empty())
        out.s3 = S3Access{.key = key,
                          .secret = source.option("aws_access_key_secret"),
                          .token = source.option("aws_access_token"),
                          .region = region_of(source)};
    return out;
}

Result<void> copy_file(const std::string& path, const ByteSink& sink) {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat about {};
    if (!fd || fstat(fd.get(), &about) != 0) return failure("read " + path);
    if (!S_ISREG(about.st_mode))
        return {Errc::invalid, "read " + path +
                                   ": it is no plain file; pack a directory into an "
                                   "archive"};
    std::string part(1U << 17U, '\0');
    for (;;) {
        const ssize_t got = read(fd.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("read " + path);
        if (got == 0) return {};
        TRY(sink(std::string_view(part).substr(0, static_cast<std::size_t>(got))));
    }
}

/// What the artifact must be, by its option; nothing when it says nothing.
Result<std::optional<Checksum>> wanted_checksum(const FetchOrder& order,
                                                const ArtifactSource& source) {
    const std::string text = source.option("checksum");
    if (text.empty()) return std::optional<Checksum>();
    if (!text.starts_with("file:")) return std::optional(TRY(parse_checksum(text)));
    Download list = download_of(order, source);
    list.url = text.substr(5);
    list.bytes_max = kListMax;
    std::string lines;
    const auto take = [&](std::string_view bytes) { return lines += bytes, Result<void>(); };
    TRY(download(list, take, [](std::int64_t, std::int64_t) {}));
    return std::optional(TRY(checksum_in_list(lines, source.file_name())));
}

class Fetch {
  public:
    Fetch(const FetchOrder& order, const ProgressSink& progress)
        : order_(order), progress_(progress), limits_{order.bytes_max, order.files_max} {}

    Result<std::string> run() {
        source_ = TRY(artifact_source(order_.artifact));
        TRY(find_place());
        const Result<std::string> out = through_draft();
        const Result<void> cleared = remove_tree(folder_.get(), order_.draft);
        if (out.ok() && !cleared.ok()) return cleared.error();
        return out;
    }

  private:
    /// The folder that it goes into, and in mode file the name that it gets.
    Result<void> find_place() {
        std::string folder = order_.path;
        if (order_.artifact.mode == Artifact::Mode::file) {
            const std::size_t slash = folder.rfind('/');
            name_ = folder.substr(slash + 1);  // npos + 1 is 0
            folder.resize(slash == std::string::npos ? 0 : slash);
            if (name_.empty()) return {Errc::invalid, "mode \"file\" wants a file as destination"};
        }
        const BeneathDir root = TRY(BeneathDir::open(order_.root));
        folder_ = TRY(root.make_folders(folder, {order_.uid, order_.gid}));
        draft_path_ = order_.root + "/" + folder + "/" + order_.draft;
        return {};
    }

    Result<std::string> through_draft() {
        Tree draft = TRY(Tree::make(folder_.get(), order_.draft, limits_));
        std::string what;
        if (source_.kind == Kind::git)
            what = TRY(take_repository(draft));
        else
            what = TRY(take_file(draft));
        const UniqueFd whole = TRY(open_part(draft.fd(), kTree));
        const UniqueFd tree = TRY(open_part(whole.get(), source_.part));
        TRY(check_tree(tree.get(), limits_));
        TRY(place(tree.get()));
        return what;
    }

    Result<std::string> take_repository(const Tree& draft) {
        if (!source_.option("checksum").empty())
            return Error{Errc::invalid, "a repository has no checksum; name a commit with ref"};
        GitSource git{.url = source_.url,
                      .ref = source_.option("ref"),
                      .ssh_key = source_.option("sshkey"),
                      .stall = order_.stall};
        const std::string depth = source_.option("depth");
        const auto read = std::from_chars(depth.data(), depth.data() + depth.size(), git.depth);
        const bool number = read.ec == std::errc() && read.ptr == depth.data() + depth.size();
        if (git.ref.starts_with('-') || (!depth.empty() && (!number || git.depth < 0)))
            return Error{Errc::invalid, "ref or depth is not one"};
        TRY(clone(git, draft.fd(), kTree, draft_path_));
        return "cloned " + shown_address(source_.url);
    }

    Result<std::string> take_file(Tree& draft) {
        const auto wanted = TRY(wanted_checksum(order_, source_));
        const std::string archive = TRY(archive_kind(source_));
        std::optional<Digest> digest;
        if (wanted) digest.emplace(wanted->kind);
        std::int64_t bytes = 0;
        TRY(draft.begin_file(kRaw, true));  // Nomad's drivers make a command executable, too
        TRY(read_source([&](std::string_view part) {
            bytes += static_cast<std::int64_t>(part.size());
            if (digest) digest->add(part);
            return draft.write(part);
        }));
        TRY(draft.end_file());
        if (wanted) TRY(compare(*wanted, digest->finish()));
        Tree tree = TRY(Tree::make(draft.fd(), kTree, limits_));
        if (archive.empty()) {
            const std::string name = source_.file_name();
            if (renameat(draft.fd(), kRaw, tree.fd(), name.c_str()) != 0) return failure("move");
        } else {
            const UniqueFd raw(openat(draft.fd(), kRaw, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
            if (!raw) return failure("open what was fetched");
            TRY(unpack(raw.get(), archive, source_.file_name(), tree));
        }
        return "fetched " + shown_address(source_.url) + ", " + std::to_string(bytes) + " bytes";
    }

    Result<void> read_source(const ByteSink& sink) {
        if (source_.kind != Kind::file)
            return download(download_of(order_, source_), sink, progress_);
        if (order_.file_allowed) return copy_file(source_.url, sink);
        return {Errc::denied,
                "sources on the peer itself are not allowed; whoever runs the agent "
                "allows them with --file-artifacts on"};
    }

    static Result<void> compare(const Checksum& wanted, const std::string& found) {
        if (found == wanted.hex) return {};
        return {Errc::denied, "the checksum is wrong: " + std::string(to_string(wanted.kind)) +
                                  " of what was fetched is " + found + ", the job wants " +
                                  wanted.hex};
    }

    Result<void> place(int tree) {
        const NewOwner owner{order_.uid, order_.gid};
        if (name_.empty()) return merge_tree(tree, folder_.get(), owner);
        const std::string name = TRY(only_file(tree));
        if (name != name_ && renameat(tree, name.c_str(), tree, name_.c_str()) != 0)
            return failure("rename " + name);
        return merge_tree(tree, folder_.get(), owner);
    }

    const FetchOrder& order_;
    const ProgressSink& progress_;
    TreeLimits limits_;
    ArtifactSource source_;
    UniqueFd folder_;
    std::string name_;
    std::string draft_path_;
};

}  // namespace

Result<std::string> fetch(const FetchOrder& order, const ProgressSink& progress) {
    return Fetch(order, progress).run();
}

bool may_pass(const Error& error) {
    return error.code != Errc::invalid && error.code != Errc::denied && error.code != Errc::corrupt;
}

}  // namespace gaggle::setup
