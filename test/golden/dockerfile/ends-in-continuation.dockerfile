FROM scratch
RUN no newline at the end \