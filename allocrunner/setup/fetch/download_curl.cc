#include <curl/curl.h>

#include <array>
#include <memory>

#include "allocrunner/setup/artifact_source.h"
#include "allocrunner/setup/fetch/download.h"

namespace gaggle::setup {

namespace {

constexpr long kRedirectsMax = 10;
constexpr long kConnectSeconds = 30;

struct Transfer {
    const Download& what;
    const ByteSink& sink;
    const ProgressSink& progress;
    CURL* handle;
    std::int64_t bytes = 0;
    std::optional<Error> refused;  ///< why we, not the server, ended it
};

long seconds(Duration span) {
    return std::max(1L, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(span).count()));
}

std::size_t on_bytes(char* data, std::size_t one, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::size_t size = one * count;
    long status = 0;
    curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300 && status < 400) return size;  // the page of a redirect
    transfer.bytes += static_cast<std::int64_t>(size);
    if (transfer.bytes > transfer.what.bytes_max)
        transfer.refused =
            Error{Errc::denied,
                  "it is larger than " + std::to_string(transfer.what.bytes_max) + " bytes"};
    else if (const auto taken = transfer.sink({data, size}); !taken.ok())
        transfer.refused = taken.error();
    return transfer.refused ? 0 : size;
}

int on_progress(void* user, curl_off_t of, curl_off_t have, curl_off_t, curl_off_t) {
    const auto& transfer = *static_cast<Transfer*>(user);
    transfer.progress(have, of > 0 ? of : -1);
    return 0;
}

Errc code_of(CURLcode result, long status) {
    switch (result) {
        case CURLE_OPERATION_TIMEDOUT: return Errc::timeout;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_TOO_MANY_REDIRECTS: return Errc::invalid;
        case CURLE_HTTP_RETURNED_ERROR:
            if (status == 404 || status == 410) return Errc::not_found;
            return Errc::unavailable;
        default: return Errc::unavailable;
    }
}

std::string reason(CURLcode result, long status, const char* text, const Download& what) {
    if (result == CURLE_HTTP_RETURNED_ERROR) return "the server answered " + std::to_string(status);
    if (result == CURLE_TOO_MANY_REDIRECTS)
        return "more than " + std::to_string(kRedirectsMax) + " redirects";
    if (result == CURLE_OPERATION_TIMEDOUT)
        return std::string(text) + " (given up after " + for_people(what.stall) +
               " without a byte, or " + for_people(what.total) + " in all)";
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        return std::string(text) + "; `insecure = true` takes any certificate";
    return *text != '\0' ? text : curl_easy_strerror(result);
}

void set_limits(CURL* handle, const Download& what) {
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kRedirectsMax);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT,
                     std::min(kConnectSeconds, seconds(what.total)));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, seconds(what.stall));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, seconds(what.total));
    curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(what.bytes_max));
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "gaggle/" GAGGLE_VERSION);
    if (!what.insecure) return;
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
}

using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Headers headers_of(const Download& what) {
    curl_slist* list = nullptr;
    for (const auto& [name, value] : what.headers)
        // An empty value would remove the header; with a semicolon it is sent empty.
        list = curl_slist_append(list, (value.empty() ? name + ";" : name + ": " + value).c_str());
    if (what.s3) {
        // Part of what S3 wants signed; curl 7.88 does not send it by itself.
        list = curl_slist_append(list, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
        if (!what.s3->token.empty())
            list = curl_slist_append(list, ("x-amz-security-token: " + what.s3->token).c_str());
    }
    return {list, curl_slist_free_all};
}

void sign(CURL* handle, const S3Access& access) {
    curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, ("aws:amz:" + access.region + ":s3").c_str());
    curl_easy_setopt(handle, CURLOPT_USERNAME, access.key.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, access.secret.c_str());
}

}  // namespace

Result<void> download(const Download& what, const ByteSink& sink, const ProgressSink& progress) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                     curl_easy_cleanup);
    INVARIANT(handle != nullptr);
    Transfer transfer{what, sink, progress, handle.get(), 0, {}};
    std::array<char, CURL_ERROR_SIZE> text{};
    const Headers headers = headers_of(what);
    curl_easy_setopt(handle.get(), CURLOPT_URL, what.url.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, text.data());
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    set_limits(handle.get(), what);
    if (what.s3) sign(handle.get(), *what.s3);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &transfer);
    curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
    const CURLcode result = curl_easy_perform(handle.get());
    const auto error = [&](Errc code, const std::string& why) {
        return Error{code, "fetch " + shown_address(what.url) + ": " + why};
    };
    if (transfer.refused) return error(transfer.refused->code, transfer.refused->detail);
    if (result == CURLE_OK) return {};
    if (result == CURLE_FILESIZE_EXCEEDED)
        return error(Errc::denied,
                     "it is larger than " + std::to_string(what.bytes_max) + " bytes");
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    return error(code_of(result, status), reason(result, status, text.data(), what));
}

}  // namespace gaggle::setup
