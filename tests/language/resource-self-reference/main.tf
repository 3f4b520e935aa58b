resource "terraform_data" "argument" {
  input = terraform_data.argument.output
}

resource "terraform_data" "other_instance" {
  count = 2
  input = count.index == 0 ? "x" : terraform_data.other_instance[0].output
}

data "aws_region" "itself" {
  depends_on = [data.aws_region.itself]
}
