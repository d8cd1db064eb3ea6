# The bot, and every other command. `docker build -t rca-agent .`
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked && strip target/release/rca-agent

FROM debian:bookworm-slim
# Certificates of the system are what TLS is checked against; time zones are compiled in.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 65532 --home-dir /var/lib/rca-agent --create-home rca-agent
COPY --from=build /src/target/release/rca-agent /usr/local/bin/rca-agent
USER 65532:65532
# Cases, and the embedded database; a volume, or everything is gone with the container.
WORKDIR /var/lib/rca-agent
ENV RCA_CASES=/var/lib/rca-agent/cases \
    RCA_LOG_FORMAT=json \
    RCA_LOG=rca_agent=info,warn
EXPOSE 8080
ENTRYPOINT ["rca-agent"]
CMD ["slack", "--listen", "0.0.0.0:8080"]
