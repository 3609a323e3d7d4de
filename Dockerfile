# A static binary in an empty image, run by nobody. Build: docker build -t portcullis .
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /portcullis
COPY Cargo.toml Cargo.lock askama.toml ./
COPY crates crates
COPY benches/micro benches/micro
COPY src src
RUN cargo build --release --locked --bin portcullis \
 && mkdir -p /image/etc/portcullis /image/var/lib/portcullis /image/etc/ssl/certs \
 && cp target/release/portcullis /image/ \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && chown -R 65532:65532 /image/var/lib/portcullis

FROM scratch
COPY --from=build /image /
USER 65532:65532
WORKDIR /var/lib/portcullis
EXPOSE 8080 8443
ENTRYPOINT ["/portcullis"]
CMD ["run", "--config", "/etc/portcullis/portcullis.toml"]
