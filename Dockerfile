# The released program and nothing else: no shell, no user but 65532.
#
# In an unpacked archive of a release for musl, or in a checkout after
# `cargo build --profile dist --target x86_64-unknown-linux-musl`:
#
#   docker build -t kneepoint .
#   docker run --rm --user "$(id -u)" -v "$PWD:/work" kneepoint sweep scenarios/quickstart.toml
FROM scratch
ARG PROGRAM=target/x86_64-unknown-linux-musl/dist/kneepoint
COPY --chmod=755 ${PROGRAM} /kneepoint
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/kneepoint"]
