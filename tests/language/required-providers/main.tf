terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
    random = ">= 3.0"
    null   = {}
    k8s = {
      source = "registry.opentofu.org/hashicorp/kubernetes"
    }
  }
}

data "kubernetes_namespace_v1" "n" {
  provider = k8s

  metadata {
    name = "default"
  }
}
