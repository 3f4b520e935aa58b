run "x" {
command=plan
variables{
a=1
}
assert {
condition=output.x=="y"
error_message="no"
}
}
mock_provider "aws" {
mock_resource "a" {
defaults={
arn="x"
}
}
}
