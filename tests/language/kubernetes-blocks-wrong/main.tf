resource "kubernetes_deployment_v1" "a" {
  metadata {
    name = "a"
  }

  spec {
    replicas = "three"

    template {
      metadata {}

      spec {
        container {
          image = ["x"]

          port {
            containerport = 80
          }

          resources {
            limits = { cpu = ["1"] }
          }
        }
      }
    }
  }

  spec {}
}

resource "kubernetes_deployment_v1" "b" {}

output "attribute" {
  value = kubernetes_deployment_v1.a.metadata.name
}

output "misspelt" {
  value = kubernetes_deployment_v1.a.metadata[0].nmae
}
