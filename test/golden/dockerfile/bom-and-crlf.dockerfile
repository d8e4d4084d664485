FROM scratch
RUN a \
 b
COPY <<E /x
line
E
