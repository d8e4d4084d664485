FROM scratch
ENV old form  with   blanks and "quotes"
ENV a=1 b="two words" c='$kept' d=three\ words e=
LABEL "com.example"="x y" multi="line \
two"
LABEL old style label
ARG none
ARG empty= full=x "quoted=a b"
