region="eu-west-1"
tags={
Name="x"
LongName="y"
}
list=["a",
"b"]
