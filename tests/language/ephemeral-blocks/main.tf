ephemeral "random_password" "p" {
  length = 3
}

ephemeral "aws_secret" "s" {}

ephemeral "aws_eks_cluster_auth" "a" {
  name  = "c"
  count = 2

  lifecycle {
    prevent_destroy = true
  }
}

output "o" {
  value = ephemeral.aws_eks_cluster_auth.a[0].token
}
