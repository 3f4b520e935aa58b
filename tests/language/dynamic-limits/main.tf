resource "aws_eks_cluster" "c" {
  name     = "c"
  role_arn = "arn:aws:iam::123456789012:role/r"

  dynamic "vpc_config" {
    for_each = [1, 2]

    content {
      subnet_ids = ["subnet-${vpc_config.value}"]
    }
  }
}

resource "aws_eks_cluster" "none" {
  name     = "c"
  role_arn = "arn:aws:iam::123456789012:role/r"

  dynamic "vpc_config" {
    for_each = []

    content {
      subnet_ids = []
    }
  }
}

resource "aws_eks_cluster" "plain" {
  name     = "c"
  role_arn = "arn:aws:iam::123456789012:role/r"

  vpc_config {
    subnet_ids = []
  }

  vpc_config {
    subnet_ids = []
  }
}

resource "aws_eks_cluster" "missing" {
  name = "c"
}
