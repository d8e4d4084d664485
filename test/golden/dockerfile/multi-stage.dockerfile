# syntax=docker/dockerfile:1.7

# The tools
FROM golang:1.22 AS tools
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go build -o /out/tool ./cmd/tool

FROM tools as test
RUN go test ./...

FROM gcr.io/distroless/static:nonroot
COPY --from=tools /out/tool /tool
COPY --from=0 /src/LICENSE /
COPY --from=registry.example.com:5000/certs:1@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d /etc/ssl /etc/ssl
USER 65532:65532
ENTRYPOINT ["/tool"]
