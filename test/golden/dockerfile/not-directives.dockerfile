# a comment first
# escape=`
FROM scratch
RUN echo a \
 b
