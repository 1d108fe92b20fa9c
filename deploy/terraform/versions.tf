terraform {
  required_version = ">= 1.5"

  required_providers {
    # Builds the manifests of ../kubernetes with kustomize and applies them: one description of the workloads, not two.
    kustomization = {
      source  = "kbst/kustomization"
      version = ">= 0.9.6, < 1.0.0"
    }
  }
}
