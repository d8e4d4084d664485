# syntax = docker/dockerfile:1
# Escape = `
# check=skip=all

FROM scratch
ENV PATH="C:\tools;`
    D:\more"
COPY a`
 b /c/
RUN echo `$x \
