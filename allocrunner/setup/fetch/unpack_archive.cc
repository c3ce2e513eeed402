#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <memory>

#include "allocrunner/setup/fetch/entry_path.h"
#include "allocrunner/setup/fetch/unpack.h"

namespace gaggle::setup {

namespace {

constexpr std::size_t kBlock = 128U << 10U;
constexpr auto kFileType = static_cast<unsigned>(AE_IFMT);

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;

Error corrupt(archive* from, const char* what) {
    const char* why = archive_error_string(from);
    return {Errc::corrupt, std::string(what) + ": " + (why != nullptr ? why : "it is damaged")};
}

bool is_single(const std::string& kind) { return kind != "tar" && kind != "zip"; }

Reader reader_for(const std::string& kind) {
    Reader out(archive_read_new(), archive_read_free);
    archive_read_support_filter_gzip(out.get());
    archive_read_support_filter_bzip2(out.get());
    archive_read_support_filter_xz(out.get());
    archive_read_support_filter_zstd(out.get());
    if (is_single(kind)) {
        archive_read_support_format_raw(out.get());
    } else {
        archive_read_support_format_tar(out.get());
        archive_read_support_format_zip(out.get());
    }
    return out;
}

/// "notes.txt.gz" becomes "notes.txt".
std::string unpacked_name(const std::string& name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

Result<void> copy_data(archive* from, Tree& to) {
    std::string block(kBlock, '\0');
    for (;;) {
        // Not archive_read_data_block: it leaves holes to us, and a hole may be of any size.
        const la_ssize_t got = archive_read_data(from, block.data(), block.size());
        if (got < 0) return corrupt(from, "unpack");
        if (got == 0) return to.end_file();
        TRY(to.write(std::string_view(block).substr(0, static_cast<std::size_t>(got))));
    }
}

Result<void> take(archive* from, archive_entry* entry, Tree& to) {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return {Errc::corrupt, "unpack: an entry without a name"};
    const std::string path = TRY(entry_path(name));
    const auto mode = static_cast<unsigned>(archive_entry_perm(entry));
    const unsigned type = static_cast<unsigned>(archive_entry_filetype(entry)) & kFileType;
    const auto denied = [&](const char* why) {
        return Error{Errc::denied, "entry \"" + path + "\" " + why};
    };
    if (const char* target = archive_entry_hardlink(entry))
        return to.hard_link(path, TRY(entry_path(target)));
    if (type == AE_IFDIR) return path.empty() ? Result<void>() : to.folder(path);
    if (path.empty()) return denied("has no name");
    if (type == AE_IFLNK) {
        const char* target = archive_entry_symlink(entry);
        return to.link(path, target == nullptr ? "" : target);
    }
    if (type != AE_IFREG) return denied("is a device, a pipe or a socket");
    if ((mode & 06000U) != 0) return denied("would run with another's rights (setuid or setgid)");
    TRY(to.begin_file(path, (mode & 0100U) != 0));
    return copy_data(from, to);
}

/// While it lives, this thread's names are UTF-8: libarchive has none for what the locale cannot
/// say.
class Utf8Names {
  public:
    Utf8Names() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(uselocale(utf8_)) {}
    ~Utf8Names() {
        uselocale(before_);
        if (utf8_ != nullptr) freelocale(utf8_);
    }
    Utf8Names(const Utf8Names&) = delete;
    Utf8Names& operator=(const Utf8Names&) = delete;

  private:
    locale_t utf8_;
    locale_t before_;
};

}  // namespace

Result<void> unpack(int archive_fd, const std::string& kind, const std::string& file_name,
                    Tree& to) {
    const Utf8Names names;
    const Reader reader = reader_for(kind);
    if (archive_read_open_fd(reader.get(), archive_fd, kBlock) != ARCHIVE_OK)
        return corrupt(reader.get(), "open the archive");
    archive_entry* entry = nullptr;
    for (bool first = true;; first = false) {
        const int found = archive_read_next_header(reader.get(), &entry);
        if (found == ARCHIVE_EOF && first && !is_single(kind))
            return {Errc::corrupt, "unpack: the archive is empty"};
        if (found == ARCHIVE_EOF) return {};
        if (found != ARCHIVE_OK && found != ARCHIVE_WARN) return corrupt(reader.get(), "unpack");
        if (!is_single(kind)) {
            TRY(take(reader.get(), entry, to));
            continue;
        }
        TRY(to.begin_file(unpacked_name(file_name), false));
        return copy_data(reader.get(), to);
    }
}

}  // namespace gaggle::setup
